#include "tests/sim/machine.h"

#include "storage/model/check.h"
#include "storage/model/planted.h"
#include "tests/sim/loader.h"
#include "tests/sim/world.h"

namespace dl::sim {
namespace {

constexpr const char* kOpened = "a simulator's database opens";

std::unique_ptr<Database> open(OpenMode mode) {
  Result<std::unique_ptr<Database>> database = Database::open(World::kDatabase, mode, Vfs::kName);
  DL_CHECK(database.has_value(), kOpened);
  (*database)->set_busy_wait(std::chrono::milliseconds{0});
  return std::move(*database);
}

// The database's own id is random; the keys, and so a trace, hang on it.
void fix_database_id(Database& database) {
  const Status ok = database.transaction(Writer::daemon, [&]() -> Status {
    database.handle().exec(
        "UPDATE property SET value = '5eed5eed-5eed-4eed-8eed-5eed5eed5eed' "
        "WHERE name = 'database_id'");
    return Done{};
  });
  DL_CHECK(ok.has_value(), "the database's id is fixed");
}

void retry_sends_at_once(SQLite::Database& db) {
  std::string view =
      db.execAndGet("SELECT sql FROM sqlite_schema WHERE name = 'retry_event'").getString();
  const std::size_t at = view.find("WHEN job.dsp_id IS NOT NULL");
  DL_CHECK(at != std::string::npos, "the fault still fits the view");
  view.insert(at, "WHEN job.state = 'cancelled' AND job.open_parents = 0 THEN 'retry_ready' ");
  db.exec("DROP VIEW retry_event; " + view);
}

void load(Database& database, Sheet& sheet) {
  Loader loader(database, sheet, sheet.rows());
  loader.cross(sheet.crossings());
  for (;;) {
    Result<Loader::Progress> progress = loader.step(1'789'999'000'000);
    DL_CHECK(progress.has_value(), "the simulator's first sheet is loaded");
    if (*progress == Loader::Progress::published) return;
  }
}

// SQLite opens the WAL with the first question, which must be asked by the connection's own
// process.
std::unique_ptr<SQLite::Database> open_observer() {
  auto observer =
      std::make_unique<SQLite::Database>(World::kDatabase, SQLite::OPEN_READWRITE, 0, Vfs::kName);
  observer->execAndGet("SELECT count(*) FROM job");
  return observer;
}

std::unique_ptr<Shell> open_shell() {
  SQLite::Database db(World::kDatabase, SQLite::OPEN_READWRITE, 0, Vfs::kName);
  db.execAndGet("SELECT count(*) FROM job");
  SQLite::Statement insert(db,
                           "INSERT INTO operator_act (job_id, act, dsp_id, priority, who, why) "
                           "VALUES (?1, ?2, ?3, ?4, 'maria', 'simulated')");
  SQLite::Statement jobs(
      db,
      "SELECT j.job_id, j.state, j.hold, j.updated_at - (SELECT min(r.sent_at) "
      "FROM request r WHERE r.job_id = j.job_id AND r.purpose = 'create' AND r.slot IS NOT "
      "'not_sent' "
      "AND r.attempt = (SELECT attempt FROM job WHERE id = j.job_id)) FROM v_jobs j");
  SQLite::Statement paused(db, "SELECT coalesce(paused_by, '') FROM account");
  return std::make_unique<Shell>(
      Shell{std::move(db), std::move(insert), std::move(jobs), std::move(paused)});
}

}  // namespace

Machine::Machine() : vfs_([this] { return wall_clock_ms(); }) {
  vfs_.run_as(kObserver);
  {
    const std::unique_ptr<Database> made = open(OpenMode::create);
    fix_database_id(*made);
    if (planted(Fault::retry_of_a_cancelled_job_sends)) retry_sends_at_once(made->handle());
  }
  observer_ = open_observer();
  vfs_.run_as(kShell);
  shell_ = open_shell();
  vfs_.run_as(kLoader);
  loaders_ = open(OpenMode::existing);
}

Machine::~Machine() = default;

std::unique_ptr<Database> Machine::take_daemons(Pid pid) {
  vfs_.revive(kNobody, pid);
  return std::move(daemons_);
}

void Machine::keep_daemons(std::unique_ptr<Database> database, Pid pid) {
  vfs_.revive(pid, kNobody);
  daemons_ = std::move(database);
}

std::int64_t Machine::wall_clock_ms() const {
  return world_ == nullptr ? 1'789'999'000'000 : world_->now().wall_ms;
}

const Machine::Start& Machine::start_of(Shape shape) {
  const auto known = starts_.find(shape);
  if (known != starts_.end()) return known->second;
  if (starts_.empty()) {
    starts_.emplace(Shape::none, Start{Sheet(Shape::none), vfs_.disk().image()});
  }
  vfs_.restore(starts_.at(Shape::none).image);
  Sheet sheet(shape);
  load(*loaders_, sheet);
  return starts_.emplace(shape, Start{sheet, vfs_.disk().image()}).first->second;
}

Sheet Machine::begin(Shape shape) {
  world_ = nullptr;
  const Start& start = start_of(shape);
  vfs_.restore(start.image);
  return start.sheet;
}

}  // namespace dl::sim

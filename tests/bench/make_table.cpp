// dl-make-table: a database as it is after years of use, for measuring. Writes through the
// product's own schema, but in bulk: no journal, no sync, no guards. Not for production, so it
// makes new files only.
#include <sqlite3.h>
#include <CLI/CLI.hpp>

#include <algorithm>
#include <chrono>
#include <cstdio>
#include <filesystem>
#include <string>

#include "bench_sql.h"
#include "storage/database.h"
#include "storage/digest.h"

namespace dl::bench {
namespace {

constexpr std::int64_t kJobsOfCampaign = 111;  // as in table_of_batch.sql
constexpr std::int64_t kYearMs = 365LL * 86'400'000;

struct Shape {
  std::string db;
  std::int64_t jobs = 1'000'000;
  std::int64_t batch_jobs = 5'550;
  std::int64_t live_jobs = 20'000;
  std::int64_t years = 3;
  std::int64_t payload_bytes = 200;
};

std::string_view text_of(sqlite3_value* value) {
  const auto* text = reinterpret_cast<const char*>(sqlite3_value_text(value));
  return {text, static_cast<std::size_t>(sqlite3_value_bytes(value))};
}

void sha256_of_text(sqlite3_context* context, int, sqlite3_value** values) {
  const Sha256 digest = sha256(text_of(values[0]));
  sqlite3_result_blob(context, digest.data(), static_cast<int>(digest.size()), SQLITE_TRANSIENT);
}

void short_digest_of_text(sqlite3_context* context, int, sqlite3_value** values) {
  sqlite3_result_int64(context, short_digest(text_of(values[0])));
}

std::int64_t wall_clock_ms() {
  using namespace std::chrono;
  return duration_cast<milliseconds>(system_clock::now().time_since_epoch()).count();
}

// A daemon's life of its own for each batch: other boots, all stopped cleanly.
void add_instance(SQLite::Database& db, std::int64_t batch, std::int64_t at) {
  SQLite::Statement add(
      db,
      "INSERT INTO instance (id, uuid, pid, host, version, boot_key, machine_id, lock_device,"
      " lock_inode, started_at, started_boot_ms, stopped_at)"
      " VALUES (?1, ?1, 1, 'bench', '0', 'boot-' || ?1, 'bench', 0, 0, ?2, ?2, ?2 + 1000000)");
  add.bind(1, batch);
  add.bind(2, at);
  add.exec();
}

void add_batch(SQLite::Database& db, std::int64_t id, std::int64_t first_job,
               std::int64_t campaigns, std::int64_t at, bool is_live, std::int64_t payload_bytes) {
  db.exec("DELETE FROM temp.bench_batch");
  SQLite::Statement parameters(db, "INSERT INTO temp.bench_batch VALUES (?1, ?2, ?3, ?4, ?5, ?6)");
  parameters.bind(1, id);
  parameters.bind(2, first_job);
  parameters.bind(3, campaigns);
  parameters.bind(4, at);
  parameters.bind(5, is_live ? 1 : 0);
  parameters.bind(6, payload_bytes);
  parameters.exec();
  add_instance(db, id, at);
  db.exec(std::string(bench_sql::k_table_of_batch));
}

Status fill(Database& database, const Shape& shape) {
  SQLite::Database& db = database.handle();
  database.leave_guards_to_others();
  db.exec(
      "PRAGMA journal_mode = MEMORY; PRAGMA synchronous = OFF; PRAGMA foreign_keys = OFF;"
      "PRAGMA cache_size = -1000000; PRAGMA temp_store = MEMORY;"
      "CREATE TEMP TABLE bench_batch (id, first_job, campaigns, at, is_live, payload_bytes)");
  const std::int64_t batches = std::max<std::int64_t>(1, shape.jobs / shape.batch_jobs);
  const std::int64_t campaigns = shape.jobs / kJobsOfCampaign;
  const std::int64_t now = wall_clock_ms();
  std::int64_t done = 0;
  for (std::int64_t i = 0; i < batches; ++i) {
    const std::int64_t end = campaigns * (i + 1) / batches;
    const bool is_live = (campaigns - end) * kJobsOfCampaign < shape.live_jobs;
    const std::int64_t at = now - shape.years * kYearMs + shape.years * kYearMs / batches * i;
    db.exec("BEGIN");
    add_batch(db, i + 1, 1 + done * kJobsOfCampaign, end - done, at, is_live, shape.payload_bytes);
    db.exec("COMMIT");
    done = end;
  }
  db.exec("PRAGMA journal_mode = WAL");
  return Done{};
}

int complain(const Error& error) {
  std::fprintf(stderr, "dl-make-table: %s\n", error.message.c_str());
  return static_cast<int>(error.code);
}

int run(const Shape& shape) {
  if (std::filesystem::exists(shape.db)) {
    return complain(
        {Errc::cant_create, shape.db + ": exists already; this program makes new files only"});
  }
  Result<std::unique_ptr<Database>> database = Database::open(shape.db, OpenMode::create);
  if (!database) return complain(database.error());
  const auto define = [&](const char* name, auto* function) {
    sqlite3_create_function_v2((*database)->handle().getHandle(), name, 1,
                               SQLITE_UTF8 | SQLITE_DETERMINISTIC, nullptr, function, nullptr,
                               nullptr, nullptr);
  };
  define("bench_sha256", sha256_of_text);
  define("bench_short_digest", short_digest_of_text);
  const Status filled = (*database)->guard(shape.db, [&] { return fill(**database, shape); });
  return filled ? 0 : complain(filled.error());
}

}  // namespace
}  // namespace dl::bench

int main(int argc, char** argv) {
  dl::bench::Shape shape;
  CLI::App app(
      "Makes a database as it is after years of use: finished batches, a ledger, a history, and "
      "one part\n"
      "of jobs in every state. For benchmarks.",
      "dl-make-table");
  const CLI::Range size(std::int64_t{1}, std::int64_t{1'000'000'000});
  app.add_option("--db", shape.db, "a new file")->required();
  app.add_option("--jobs", shape.jobs, "about how many in all (1000000)")->check(size);
  app.add_option("--batch-jobs", shape.batch_jobs, "of one batch (5550)")->check(size);
  app.add_option("--live", shape.live_jobs, "jobs of the last batches, halfway through (20000)");
  app.add_option("--years", shape.years, "that they are spread over (3)")
      ->check(CLI::Range(1, 100));
  app.add_option("--payload", shape.payload_bytes, "of a body, at least 110 (200)")
      ->check(CLI::Range(110, 1'000'000));
  try {
    app.parse(argc, argv);
  } catch (const CLI::ParseError& error) {
    return app.exit(error) == 0 ? 0 : static_cast<int>(dl::Errc::usage);
  }
  return dl::bench::run(shape);
}

// A loader that dies in the middle leaves nothing behind that anybody sees.
#include <gtest/gtest.h>
#include <signal.h>
#include <sqlite3.h>
#include <sys/wait.h>
#include <unistd.h>

#include <chrono>
#include <cstdlib>

#include "ingest/load.h"
#include "program.h"
#include "storage/batch_writer.h"
#include "storage/ingest_lock.h"
#include "tests/support/tree.h"

namespace dl {
namespace {

const std::string kSample = in_tree("examples/sample.csv");

// How many jobs a batch in loading has; -1 where there is none.
int jobs_loading(const Program& program) {
  if (!program.has_database()) return -1;
  try {
    const std::string n = program.ask(
        "SELECT count(*) FROM job WHERE batch_id = (SELECT id FROM batch WHERE state = 'loading')");
    return n.empty() ? -1 : std::atoi(n.c_str());
  } catch (const SQLite::Exception&) {
    return -1;  // it is just being made
  }
}

TEST(Crash, KillInTheMiddleLeavesAnOrphanThatTheNextLoadRemoves) {
  Program program;
  program.run({kSample});
  program.write("big.csv", big_sheet(300));
  const pid_t pid = program.start({"big.csv"});
  const auto deadline = std::chrono::steady_clock::now() + std::chrono::seconds(120);
  while (jobs_loading(program) < 2000 && std::chrono::steady_clock::now() < deadline) {
    ASSERT_EQ(::waitpid(pid, nullptr, WNOHANG), 0) << "it was done before it could be killed";
  }
  ASSERT_EQ(::kill(pid, SIGKILL), 0);
  ASSERT_EQ(::waitpid(pid, nullptr, 0), pid);
  ASSERT_GE(jobs_loading(program), 2000);
  EXPECT_EQ(program.ask("SELECT count(*) FROM job WHERE state = 'ready'"), "6");
  EXPECT_EQ(program.run({"status"}).out.find("300"), std::string::npos);

  const Ran ran = program.run({kSample});
  EXPECT_EQ(ran.exit_code, 0) << ran.err;
  EXPECT_NE(ran.err.find("removed what an interrupted dl-ingest had left"), std::string::npos);
  EXPECT_NE(ran.out.find("0 new, 23 unchanged"), std::string::npos) << ran.out;
  EXPECT_EQ(program.ask("SELECT count(*) FROM job"), "23");
  EXPECT_EQ(program.ask("SELECT count(*) FROM job_payload"), "23");
  EXPECT_EQ(program.ask("SELECT count(*) FROM job_edge"), "17");
  EXPECT_EQ(program.ask("SELECT count(*) FROM batch_row"), "18");
  EXPECT_EQ(program.ask("SELECT sum(n) FROM job_count"), "23");
  EXPECT_EQ(program.ask("SELECT count(*) FROM pragma_foreign_key_check"), "0");
  EXPECT_EQ(program.ask("PRAGMA integrity_check"), "ok");
  const Ran whole = program.run({"big.csv"});
  EXPECT_NE(whole.out.find("31800 new, 0 unchanged (30000 rows)"), std::string::npos) << whole.out;
}

// A writer that is forgotten after two transactions, of four jobs.
void leave_an_orphan(Database& database) {
  BatchHead head;
  head.format = "csv";
  head.rows = 2;
  auto writer = BatchWriter::begin(database, head);
  ASSERT_TRUE(writer);
  for (const std::string key : {"orphan_1", "orphan_2"}) {
    ASSERT_TRUE((*writer)->transaction([&]() -> Status {
      const std::string body = "{\"id\":\"" + key + "\"}";
      const std::string child = key + "/g";
      const Sha256 digest = sha256(body);
      std::array<PlacedJob, 2> placed;
      const JobText root{JobKind::campaign, key, body, digest, 1, nullptr};
      const JobText group{JobKind::ad_group, child, body, digest, 1, &placed[0]};
      if (Status ok = (*writer)->place({&root, 1}, {&placed[0], 1}); !ok) return ok;
      if (Status ok = (*writer)->place({&group, 1}, {&placed[1], 1}); !ok) return ok;
      const BatchRow row{placed[0].id.value, 1, placed[1].id, nullptr};
      (*writer)->add_rows({&row, 1});
      return Done{};
    }));
  }
}

// The same without a race.
TEST(Crash, AnOrphanIsRemovedWholeAndItsForeignKeysAreCheckedAgainAfterwards) {
  Program program;
  program.run({kSample});
  auto database = Database::open(program.path("jobs.db").string(), OpenMode::existing);
  ASSERT_TRUE(database);
  leave_an_orphan(**database);
  EXPECT_EQ(program.ask("SELECT count(*) FROM job"), "27");
  const Result<int> removed = remove_orphaned_batches(**database);
  ASSERT_TRUE(removed);
  EXPECT_EQ(*removed, 1);
  EXPECT_EQ(*remove_orphaned_batches(**database), 0);
  EXPECT_EQ(program.ask("SELECT count(*) FROM job"), "23");
  EXPECT_EQ(program.ask("SELECT count(*) FROM batch"), "1");
  EXPECT_EQ((*database)->handle().execAndGet("PRAGMA foreign_keys").getInt(), 1);
}

// Found by the simulator (seed 200001904 of 26 November): the counts of the orphan outlived its
// jobs.
TEST(Crash, RemovingAnOrphanThatStopsAfterAnyOfItsTransactionsLeavesNoWrongCount) {
  Program program;
  program.run({kSample});
  auto database = Database::open(program.path("jobs.db").string(), OpenMode::existing);
  ASSERT_TRUE(database);
  leave_an_orphan(**database);
  int allowed = 0;
  int left = 0;
  sqlite3_commit_hook((*database)->handle().getHandle(),
                      [](void* commits) { return --*static_cast<int*>(commits) < 0 ? 1 : 0; },
                      &left);
  for (Result<int> removed = Error{Errc::io, ""}; !removed; ++allowed) {
    ASSERT_LT(allowed, 20);
    left = allowed;
    removed = remove_orphaned_batches(**database);
    EXPECT_EQ(program.ask("SELECT count(*) FROM job_count WHERE n <> (SELECT count(*) FROM job "
                          "WHERE job.batch_id = job_count.batch_id "
                          "AND job.kind = job_count.kind AND job.state = job_count.state)"),
              "0")
        << "after " << allowed << " transactions";
  }
  EXPECT_GT(allowed, 3);
  EXPECT_EQ(program.ask("SELECT sum(n) FROM job_count"), "23");
}

TEST(Crash, AFileThatChangesBetweenThePassesIsRefused) {
  // The survey and the load read through one descriptor; in between the file grows.
  Program program;
  const std::string name = program.write("in", sample());
  Result<InputFile> file = InputFile::open(program.path(name).string());
  ASSERT_TRUE(file);
  Result<Survey> found =
      survey(*file, std::nullopt, OnError::reject_file, [](const SurveySoFar&) {});
  ASSERT_TRUE(found);
  program.write("in", sheet_of({sample_lines()[1]}));
  auto database = Database::open(program.path("jobs.db").string(), OpenMode::create);
  ASSERT_TRUE(database);
  const Result<Loaded> loaded = load(*file, *found, **database, {}, [](std::int64_t) {});
  ASSERT_FALSE(loaded);
  EXPECT_EQ(loaded.error().code, Errc::busy);
  EXPECT_EQ(program.ask("SELECT (SELECT count(*) FROM batch) + (SELECT count(*) FROM job)"), "0");
}

}  // namespace
}  // namespace dl

// dl-ingest status: what it says of batches that name jobs of earlier ones, of doubts that resolve
// themselves, and of nothing at all; and that --watch waits as long as anything of it moves.
#include <gmock/gmock.h>
#include <sys/wait.h>

#include <chrono>
#include <thread>

#include "program.h"

namespace dl {
namespace {

using ::testing::HasSubstr;
using ::testing::Not;

// Campaign, ad group and ad of the sample's first row; a second ad below them.
std::string one_ad() { return sheet_of({sample_lines()[1]}); }
std::string second_ad() { return sheet_of({row_with(1, "ad_id", "ad_more")}); }

// Moves jobs as the daemon does: with their counts.
void move(const Program& program, const std::string& where, const std::string& state) {
  const std::string dsp_id = state == "succeeded" ? ", dsp_id = 'dsp-' || id" : "";
  program.as_daemon(
      "UPDATE job SET state = '" + state + "', open_parents = 0" + dsp_id + " WHERE " + where +
      ";"
      "DELETE FROM job_count;"
      "INSERT INTO job_count SELECT batch_id, kind, state, count(*) FROM job GROUP BY 1, 2, 3");
}

// `status ARGS --watch` after its first look: it has ended, or it waits. Then `done` is called, and
// its exit code given.
struct Watched {
  bool waited = false;
  int exit_code = -1;
};
Watched watch(const Program& program, std::vector<std::string> args,
              const std::function<void()>& done) {
  args.insert(args.begin(), "status");
  args.emplace_back("--watch");
  const pid_t pid = program.start(std::move(args));
  const auto deadline = std::chrono::steady_clock::now() + std::chrono::seconds(120);
  int status = 0;
  // The second look tells that it went on after the first.
  const auto looks = [&] {
    const std::string said = program.read("started.txt");
    std::size_t n = 0;
    for (std::size_t at = said.find("  campaign"); at != std::string::npos;
         at = said.find("  campaign", at + 1))
      ++n;
    return n;
  };
  bool ended = false;
  while (!ended && looks() < 2 && std::chrono::steady_clock::now() < deadline) {
    ended = ::waitpid(pid, &status, WNOHANG) == pid;
    // waits: for its second look, or its end
    std::this_thread::sleep_for(std::chrono::milliseconds(5));
  }
  done();
  if (!ended) ::waitpid(pid, &status, 0);
  return {!ended, WIFEXITED(status) ? WEXITSTATUS(status) : -1};
}

TEST(Status, OfABatchThatOnlyRepeatsRowsGoesByTheJobsTheyName) {
  Program program;
  program.run({"-"}, one_ad());
  program.run({"-"}, one_ad());
  const Ran ran = program.run({"status", "2"});
  EXPECT_EQ(ran.exit_code, 0);
  EXPECT_THAT(ran.out, HasSubstr("batch 2 made no jobs; its rows are of earlier batches\n"
                                 "of its 1 row 0 succeeded, 1 under way\nno estimate yet"));
  const Watched watched = watch(program, {"2"}, [&] { move(program, "true", "succeeded"); });
  EXPECT_TRUE(watched.waited);
  EXPECT_EQ(watched.exit_code, 0);
  EXPECT_THAT(program.run({"status", "2"}).out, HasSubstr("of its 1 row 1 succeeded\nall is done"));
  move(program, "kind = 'ad'", "failed");
  const Ran failed = program.run({"status", "2"});
  EXPECT_EQ(failed.exit_code, 1);
  EXPECT_THAT(failed.out,
              HasSubstr("0 succeeded, 1 failed\nnothing moves any more: see dl-ingest results 2"));
}

TEST(Status, OfABatchWhoseJobsWaitForThoseOfAnEarlierOneWaitsWithThem) {
  Program program;
  program.run({"-"}, one_ad());
  program.run({"-"}, second_ad());
  const Ran ran = program.run({"status", "2"});
  EXPECT_EQ(ran.exit_code, 0);
  EXPECT_THAT(
      ran.out,
      HasSubstr("0 of 1 succeeded (0 %)\nof its 1 row 0 succeeded, 1 under way\nno estimate yet"));
  const Watched watched =
      watch(program, {"2"}, [&] { move(program, "kind = 'campaign'", "failed"); });
  EXPECT_TRUE(watched.waited);
  EXPECT_EQ(watched.exit_code, 1);
  EXPECT_THAT(
      program.run({"status", "2"}).out,
      HasSubstr("1 behind what has failed, was cancelled or is in doubt\nnothing moves any more: "
                "1 wait behind others (v_blocked), see dl-ingest results 2"));
}

TEST(Status, TakesADoubtThatResolvesItselfForWorkAndAHeldOneForTrouble) {
  Program program;
  program.run({"-"}, one_ad());
  move(program, "kind = 'campaign'", "in_doubt");
  EXPECT_THAT(program.run({"status"}).out, Not(HasSubstr("nothing moves")));
  const Watched watched = watch(program, {}, [&] {
    program.as_daemon("UPDATE job SET hold = 'decide' WHERE state = 'in_doubt'");
  });
  EXPECT_TRUE(watched.waited);
  EXPECT_EQ(watched.exit_code, 1);
  EXPECT_THAT(program.run({"status", "1"}).out,
              HasSubstr("nothing moves any more: 1 in doubt wait for a decision"));
}

TEST(Status, OfNothingSaysSo) {
  Program program;
  program.run({"-"}, one_ad());
  move(program, "true", "cancelled");
  EXPECT_THAT(program.run({"status"}).out, HasSubstr("all are cancelled\n"));
  Program empty;
  ASSERT_TRUE(Database::open(empty.path("jobs.db").string(), OpenMode::create));
  const Ran ran = empty.run({"status"});
  EXPECT_EQ(ran.exit_code, 0);
  EXPECT_THAT(ran.out, HasSubstr("no jobs: nothing has been loaded\nthere is nothing to do\n"));
}

}  // namespace
}  // namespace dl

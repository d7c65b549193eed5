// Days on which the machine or the people beside the daemon misbehave: no file descriptors, a full
// disk, a stopped process, a clock that jumps, a second daemon, a transaction left open.
#include <SQLiteCpp/SQLiteCpp.h>
#include <gtest/gtest.h>
#include <sys/mount.h>
#include <sys/resource.h>
#include <unistd.h>

#include <cerrno>
#include <csignal>
#include <cstring>
#include <fstream>
#include <tuple>

#include "storage/model/result.h"
#include "tests/chaos/one_campaign.h"
#include "tests/e2e/site.h"
#include "tests/support/tree.h"

namespace dl::chaos {
namespace {

using e2e::Flags;
using e2e::Site;
using std::chrono::milliseconds;

const Flags kByKey = {"--rate-limit", "none", "--unknown-outcome", "resubmit"};

// The same program with less of a resource: prlimit(1) starts it.
Launch limited(Launch launch, const std::string& limit) {
  launch.arguments.insert(launch.arguments.begin(), built_program(launch.program));
  launch.arguments.insert(launch.arguments.begin(), limit);
  launch.program = "prlimit";
  return launch;
}

TEST(FileDescriptors, ThatRunOutDelayTheDaemonOrEndItWithAClearLine) {
  int drained = 0;
  for (int files = 6; files <= 44; files += 3) {
    const Site site;
    site.load_sheet(e2e::shape(4, 2, 4));
    std::ofstream(site.file("token")) << "secret\n";
    Launch launch =
        limited(site.daemon(e2e::joined(
                    {"--drain", "--in-flight", "64", "--token-file", site.file("token")}, kByKey)),
                "--nofile=" + std::to_string(files));
    // where there is none for a single connection
    launch.environment["DL_UNREACHABLE_TIMEOUT"] = "5m";
    const Finish drain = run(launch);
    if (drain.exit_code == 0) {
      ++drained;
    } else {
      EXPECT_TRUE(drain.exit_code >= 64 && drain.exit_code <= 78 && drain.exit_code != 77)
          << files << " files: " << drain.exit_code << " " << drain.err;
      EXPECT_NE(drain.err.find("open files"), std::string::npos)
          << files << " files: " << drain.err;
      EXPECT_EQ(drained, 0) << "more files than this were enough with fewer";
      const Finish rest = site.drain(kByKey);
      EXPECT_EQ(rest.exit_code, 0) << rest.err;
    }
    EXPECT_EQ(site.number("SELECT sum(tries) FROM job"), 0)
        << "no attempt is spent for a lack of sockets";
    site.expect_promises_kept("none", e2e::entities(4, 2, 4));
  }
  EXPECT_GT(drained, 0);
}

// As soon as there are more, they are used: by the ledger of a DSP that keeps each request for a
// while.
TEST(FileDescriptors, ThatAreFreeAgainAreUsed) {
  constexpr int kFewFiles = 40;
  const Site site({"--faults", "slow:1:60s"});
  site.load_sheet(e2e::shape(60, 1, 1));
  // a connection a POST
  Process daemon(site.daemon({"--drain", "--in-flight", "64", "--rate-limit", "none"}));
  eventually("it works", [&] { return !site.ledger().empty(); });
  rlimit before{};
  ASSERT_EQ(::prlimit(daemon.pid(), RLIMIT_NOFILE, nullptr, &before), 0) << std::strerror(errno);
  const rlimit few{kFewFiles, before.rlim_max};
  ASSERT_EQ(::prlimit(daemon.pid(), RLIMIT_NOFILE, &few, nullptr), 0) << std::strerror(errno);
  eventually("it says what it lacks",
             [&] { return daemon.err().find("EMFILE") != std::string::npos; });
  for (const char* word : {"ulimit -n", "LimitNOFILE", "--in-flight"}) {
    EXPECT_NE(daemon.err().find(word), std::string::npos) << daemon.err();
  }
  ASSERT_EQ(::prlimit(daemon.pid(), RLIMIT_NOFILE, &before, nullptr), 0) << std::strerror(errno);
  const auto open_now = [&] {
    return site.number("SELECT count(*) FROM request WHERE finished_at IS NULL");
  };
  eventually("more go at once than the files allowed", [&] { return open_now() > kFewFiles; });
  EXPECT_EQ(daemon.wait(), 0) << daemon.err();
  EXPECT_EQ(site.number("SELECT sum(tries) FROM job"), 0)
      << "no attempt is spent for a lack of sockets";
  site.expect_promises_kept("none", e2e::entities(60, 1, 1));
}

// Stopped for longer than the settle time, with POSTs on the wire and, by the delay, with an intent
// that is committed and not yet sent.
TEST(StoppedProcess, CreatesNothingTwiceWhereItOutsleepsTheSettleTime) {
  const Site site(
      {"--idempotency", "off", "--faults", "slow:0.3:3s,lost_answer:0.05,lost_request:0.05"});
  site.load_sheet(e2e::shape(6, 2, 3));
  Launch launch = site.daemon(
      {"--drain", "--rate-limit", "60/10s", "--unknown-outcome", "lookup", "--settle", "30s"});
  launch.environment["DL_FAULT"] = "intent.after_commit:5:delay=700ms,send.half_body:9:delay=700ms";
  Process daemon(launch);
  for (std::size_t sent = 10; sent <= 50; sent += 20) {
    eventually("it goes on",
               [&] { return site.ledger().size() >= sent || daemon.ends_within(milliseconds{0}); });
    daemon.signal(SIGSTOP);
    EXPECT_FALSE(daemon.ends_within(milliseconds{700}));  // 42 s of its clock
    daemon.signal(SIGCONT);
  }
  EXPECT_EQ(daemon.wait(), 0) << daemon.err();
  site.expect_promises_kept("60/10s", e2e::entities(6, 2, 3));
}

class WallClockOf : public testing::TestWithParam<std::string> {};

TEST_P(WallClockOf, MayJumpByAnHourAndBack) {
  const std::string jump = GetParam() == "forward" ? "step=1h" : "step=-1h";
  const std::string back = GetParam() == "forward" ? "step=-1h" : "step=1h";
  for (const std::string account : {"resubmit", "lookup"}) {
    const Site site({"--idempotency", account == "resubmit" ? "on" : "off", "--processing",
                     "uniform:1s:3s", "--faults",
                     "lost_answer:0.05,lost_request:0.05,429:0.03:2s,503:0.02:2s"});
    site.load_sheet(e2e::shape(3, 2, 3));
    Launch launch = site.daemon(
        {"--drain", "--rate-limit", "30/10s", "--unknown-outcome", account, "--settle", "30s"});
    launch.environment["DL_FAULT"] =
        "intent.after_commit:7:" + jump + ",intent.after_commit:20:kill";
    EXPECT_EQ(run(launch).exit_code, 128 + SIGKILL);  // the next one starts an hour off
    launch.environment["DL_FAULT"] = "intent.after_commit:4:" + back +
                                     ",intent.after_commit:9:" + jump +
                                     ",intent.after_commit:14:" + back;
    const auto began = std::chrono::steady_clock::now();
    const Finish drain = run(launch);
    EXPECT_EQ(drain.exit_code, 0) << drain.err;
    const auto took = std::chrono::steady_clock::now() - began;
    std::printf("%s, %s: %.1f s\n", GetParam().c_str(), account.c_str(),
                std::chrono::duration<double>(took).count());
    site.expect_promises_kept("30/10s", e2e::entities(3, 2, 3));
  }
}
INSTANTIATE_TEST_SUITE_P(Steps, WallClockOf, testing::Values("forward", "back"),
                         [](const auto& test) { return test.param; });

// Ten hours of the daemon's clock are ten minutes of the test's: it would not see the end.
TEST(WallClock, ThatJumpsBetweenAPostAndALookDelaysNoPoll) {
  for (const std::string jump : {"step=10h", "step=-10h"}) {
    const Site site({"--processing", "uniform:100s:120s"});
    site.load_sheet(e2e::shape(1, 1, 1));
    Launch launch = site.daemon({"--drain", "--rate-limit", "30/10s"});
    launch.environment["DL_FAULT"] = "intent.after_commit:2:" + jump + ",poll.answered:2:kill";
    const Finish first = run(launch);  // what it wrote of its first look is off by the jump
    EXPECT_EQ(first.exit_code, 128 + SIGKILL) << first.err;
    EXPECT_EQ(site.number("SELECT count(*) FROM job WHERE abs(looked_at - posted_at) > 3600000"),
              1);
    launch.environment["DL_FAULT"] = "";
    const Finish rest = run(launch);
    EXPECT_EQ(rest.exit_code, 0) << rest.err;
    site.expect_promises_kept("30/10s", e2e::entities(1, 1, 1));
  }
}

TEST(SecondDaemon, IsRefusedHoweverManyStartAtOnce) {
  const Site site;
  site.load_sheet(e2e::shape(2, 2, 3));
  std::vector<std::unique_ptr<Process>> daemons;
  for (int i = 0; i < 8; ++i) daemons.push_back(std::make_unique<Process>(site.daemon(kByKey)));
  int running = 0;
  eventually("all but one have ended", [&] {
    running = 0;
    for (const auto& daemon : daemons) running += daemon->ends_within(milliseconds{0}) ? 0 : 1;
    return running <= 1;
  });
  EXPECT_EQ(running, 1);
  eventually("the one works", [&] { return site.unfinished() == 0; });
  for (const auto& daemon : daemons) {
    if (daemon->ends_within(milliseconds{0})) {
      EXPECT_EQ(daemon->wait(), static_cast<int>(Errc::busy)) << daemon->err();
    }
  }
  EXPECT_EQ(site.number("SELECT count(*) FROM instance"), 1);
  site.expect_promises_kept("none", e2e::entities(2, 2, 3));
}

// Longer than SQLite waits: the answers that come meanwhile are kept, and the commit is tried
// again.
TEST(OpenTransaction, OfAnOperatorDelaysTheCommitAndRepeatsNoPost) {
  const Site site({"--faults", "slow:1:20s"});
  site.load_sheet(e2e::shape(3, 1, 1));
  Process daemon(site.daemon(e2e::joined({"--drain"}, kByKey)));
  eventually("POSTs are on the wire", [&] { return site.ledger().size() >= 3; });
  {
    SQLite::Database shell(site.db(), SQLite::OPEN_READWRITE, 10'000);
    SQLite::Transaction open(shell, SQLite::TransactionBehavior::IMMEDIATE);
    eventually("the daemon says so",
               [&] { return daemon.err().find("another program holds") != std::string::npos; });
  }
  EXPECT_EQ(daemon.wait(), 0) << daemon.err();
  EXPECT_EQ(site.number("SELECT count(*) FROM request WHERE purpose = 'resubmit'"), 0);
  site.expect_promises_kept("none", e2e::entities(3, 1, 1));
}

// A loader at work, an operator's transaction open, POSTs on the wire: then the daemon dies, and
// the next one takes over.
TEST(StandBy, TakesOverBesideALoaderAndAnOpenTransaction) {
  const Site site({"--faults", "slow:1:5s"});
  site.load_sheet(e2e::shape(3, 2, 2));
  // Between two transactions, so that it is not the loader that the stand-by waits for.
  Launch load = loader_of_one("late", site.db());
  load.environment["DL_FAULT"] = "ingest.after_commit:1:delay=3s,trace:" + site.file("reached");
  Process loader(load);
  eventually("the loader is at work", [&] {
    return text_of(site.file("reached")).find("fault at ingest.after_commit") != std::string::npos;
  });
  loader.signal(SIGSTOP);
  Launch first = site.daemon(kByKey);
  first.environment["DL_FAULT"] = "send.complete:4:kill";
  Process daemon(first);
  eventually("it owns the database",
             [&] { return daemon.err().find("endpoint") != std::string::npos; });
  Process standby(site.daemon(e2e::joined({"--drain", "--standby"}, kByKey)));
  eventually("it stands by", [&] { return standby.err().find("standby") != std::string::npos; });
  EXPECT_EQ(daemon.wait(), 128 + SIGKILL) << daemon.err();
  const auto loading = [&] {
    return site.number("SELECT count(*) FROM batch WHERE state = 'loading'");
  };
  EXPECT_EQ(loading(), 1);
  {
    SQLite::Database shell(site.db(), SQLite::OPEN_READWRITE, 60'000);
    SQLite::Transaction open(shell, SQLite::TransactionBehavior::IMMEDIATE);
    eventually("it says why it waits", [&] {
      return standby.err().find("another program holds") != std::string::npos ||
             standby.ends_within(milliseconds{0});
    });
  }
  eventually("it has taken over",
             [&] { return site.number("SELECT count(*) FROM instance") == 2; });
  EXPECT_EQ(loading(), 1) << "what a living loader has written is nobody's to remove";
  loader.signal(SIGCONT);
  EXPECT_EQ(loader.wait(), 0) << loader.err();
  EXPECT_EQ(standby.wait(), 0) << standby.err();
  const Finish rest = site.drain(kByKey);  // the sheet may have come as the standby ended
  EXPECT_EQ(rest.exit_code, 0) << rest.err;
  EXPECT_EQ(site.number("SELECT count(*) FROM instance"), 3);
  site.expect_promises_kept("none", e2e::entities(3, 2, 2) + kEntitiesOfOne);
}

// A file system of its own, about as large as an empty database; only root may mount one.
class SmallDisk {
 public:
  SmallDisk(std::string folder, int kib) : folder_(std::move(folder)) {
    ::mkdir(folder_.c_str(), 0700);
    is_mounted_ = ::mount("tmpfs", folder_.c_str(), "tmpfs", 0, size(kib).c_str()) == 0;
  }
  ~SmallDisk() {
    if (is_mounted_) ::umount2(folder_.c_str(), MNT_DETACH);
  }
  bool is_mounted() const { return is_mounted_; }
  void resize(int kib) const {
    EXPECT_EQ(::mount("tmpfs", folder_.c_str(), "tmpfs", MS_REMOUNT, size(kib).c_str()), 0)
        << std::strerror(errno);
  }
  std::string file(const std::string& name) const { return folder_ + "/" + name; }
  // To the last byte.
  void fill() const {
    std::ofstream ballast(file("ballast"), std::ios::app);
    while (ballast << std::string(512, 'x') << std::flush) {
    }
  }
  void free() const { ::unlink(file("ballast").c_str()); }

 private:
  static std::string size(int kib) { return "size=" + std::to_string(kib) + "k"; }
  std::string folder_;
  bool is_mounted_ = false;
};

enum class Filler { own_log, ballast };

// 256 KiB hold the database and not what a daemon needs beside it; from there on the log fills the
// disk sooner or later. However little room there is, as soon as there is more the daemon goes on.
class FullDiskOf : public testing::TestWithParam<std::tuple<int, Filler>> {};

TEST_P(FullDiskOf, PausesTheDaemonWhichGoesOnWhenThereIsRoom) {
  const auto [kib, filler] = GetParam();
  const Site site({"--faults", "slow:0.5:10s"});
  const SmallDisk disk(site.file("disk"), kib);
  if (!disk.is_mounted()) GTEST_SKIP() << "only root may mount a tmpfs";
  site.load_sheet(e2e::shape(2, 2, 3));
  std::filesystem::copy(site.db(), disk.file("jobs.db"));
  Launch launch = site.daemon(e2e::joined({"--drain"}, kByKey));
  launch.environment["DL_DB"] = disk.file("jobs.db");
  Process daemon(launch);
  const auto has_ended = [&] { return daemon.ends_within(milliseconds{0}); };
  const auto has_no_room = [&] {
    return daemon.err().find("disk is full") != std::string::npos || has_ended();
  };
  if (filler == Filler::ballast) {
    eventually("it works", [&] { return site.ledger().size() >= 3 || has_no_room(); });
    disk.fill();
  }
  eventually("it says why it pauses", has_no_room);
  const bool ballast_is_enough = filler == Filler::ballast && kib >= 384;
  if (filler == Filler::ballast) disk.free();
  if (!ballast_is_enough) disk.resize(kib + 64);
  int exit_code = daemon.wait();
  const bool does_not_fit = exit_code == static_cast<int>(Errc::io) && kib < 320;
  EXPECT_TRUE(exit_code == 0 || does_not_fit) << exit_code << daemon.err();
  if (exit_code != 0) {
    EXPECT_NE(daemon.err().find("full"), std::string::npos) << daemon.err();
    disk.resize(kib + 256);
    const Finish rest = run(launch);
    EXPECT_EQ(rest.exit_code, 0) << rest.err;
  }
  site.expect_created_once(e2e::entities(2, 2, 3));
}
INSTANTIATE_TEST_SUITE_P(KiB, FullDiskOf,
                         testing::Combine(testing::Values(256, 288, 320, 384, 512, 1024),
                                          testing::Values(Filler::own_log, Filler::ballast)),
                         [](const auto& test) {
                           const bool by_itself = std::get<1>(test.param) == Filler::own_log;
                           return std::to_string(std::get<0>(test.param)) +
                                  (by_itself ? "_log" : "_ballast");
                         });

TEST(FullDisk, AtTheStartIsNamedAsTheCause) {
  const Site site;
  const SmallDisk disk(site.file("disk"), 2048);
  if (!disk.is_mounted()) GTEST_SKIP() << "only root may mount a tmpfs";
  site.load_sheet(e2e::shape(2, 2, 3));
  std::filesystem::copy(site.db(), disk.file("jobs.db"));
  disk.fill();
  Launch launch = site.daemon(e2e::joined({"--drain"}, kByKey));
  launch.environment["DL_DB"] = disk.file("jobs.db");
  const Finish drain = run(launch);
  EXPECT_EQ(drain.exit_code, static_cast<int>(Errc::io)) << drain.err;
  EXPECT_NE(drain.err.find("full"), std::string::npos) << drain.err;
  EXPECT_TRUE(site.ledger().empty()) << "nothing can be recorded, so nothing may be sent";
  disk.free();
  const Finish rest = run(launch);
  EXPECT_EQ(rest.exit_code, 0) << rest.err;
}

}  // namespace
}  // namespace dl::chaos

// A database that is known by two names is one database all the same: one daemon sends for it,
// whatever it is called. What lies beside it is called by its own name, for SQLite calls the log
// so; a second name of its own (a hard link) is refused.
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <csignal>
#include <filesystem>

#include "tests/e2e/site.h"

namespace dl::e2e {
namespace {

namespace fs = std::filesystem;
using ::testing::HasSubstr;
using ::testing::IsEmpty;

constexpr std::int64_t kEntities = entities(1, 2, 4);

Flags by_name(const std::string& name) { return {"--db", name}; }

// disk/real.db, to which the site's own name leads.
struct Linked : Site {
  Linked() : real(file("disk/real.db")) {
    fs::create_directory(file("disk"));
    fs::create_symlink("real.db", file("disk/next.db"));
    fs::create_symlink("disk/next.db", db());
  }
  const std::string real;
};

void expect_one_sends(const Linked& site, const std::string& first, const std::string& second) {
  site.load_sheet(shape(1, 2, 4));
  Process daemon(site.daemon(by_name(first)));
  eventually("it works", [&] { return site.unfinished() < kEntities; });
  const Finish refused = run(site.daemon(by_name(second)));
  EXPECT_EQ(refused.exit_code, 75) << refused.err;
  EXPECT_THAT(refused.err, HasSubstr("another dl-daemon sends for " + second));
  const Finish verify =
      run(site.daemon({"--db", second, "--unknown-outcome", "lookup", "--verify"}));
  EXPECT_EQ(verify.exit_code, 75) << verify.out << verify.err;
  eventually("all is done", [&] { return site.unfinished() == 0; });
  daemon.signal(SIGTERM);
  EXPECT_EQ(daemon.wait(), 0) << daemon.err();
  site.expect_promises_kept("40/60s", kEntities);
}

TEST(ASymbolicLink, DoesNotLetASecondDaemonSend) {
  const Linked site;
  expect_one_sends(site, site.real, site.db());
}

TEST(ASymbolicLink, DoesNotLetASecondDaemonSendByTheRealName) {
  const Linked site;
  expect_one_sends(site, site.db(), site.real);
}

// The link is there before the database: everything is made where it leads.
TEST(ASymbolicLink, HasNothingBesideIt) {
  const Linked site;
  Process daemon(site.daemon());
  eventually("it is up",
             [&] { return daemon.err().find("database " + site.db()) != std::string::npos; });
  EXPECT_EQ(fs::status(site.real).permissions() & fs::perms::others_all, fs::perms::none);
  site.load_sheet(shape(1, 2, 4));
  eventually("all is done", [&] { return site.unfinished() == 0; });
  daemon.signal(SIGTERM);
  EXPECT_EQ(daemon.wait(), 0) << daemon.err();
  const Finish archived = site.ingest({"archive", "--older-than", "365d"});
  EXPECT_EQ(archived.exit_code, 0) << archived.err;
  for (const char* suffix : {".lock", ".ingest.lock", ".generation", ".archive"}) {
    EXPECT_FALSE(fs::exists(site.db() + suffix)) << suffix;
    EXPECT_TRUE(fs::exists(site.real + suffix)) << suffix;
  }
}

TEST(ASymbolicLink, ThatIsTurnedElsewhereStopsTheDaemon) {
  const Linked site;
  site.load_sheet(shape(1, 1, 1));
  Process daemon(site.daemon());
  eventually("all is done", [&] { return site.unfinished() == 0; });
  fs::create_symlink("disk/other.db", site.file("new-link"));
  fs::rename(site.file("new-link"), site.db());
  EXPECT_EQ(daemon.wait(), 75) << daemon.err();
  EXPECT_THAT(daemon.err(), HasSubstr(site.db() + " leads to another file now"));
}

TEST(ASymbolicLink, ThatLeadsInACircleIsSaid) {
  const Site site;
  fs::create_symlink("jobs.db", site.db());
  for (const Finish& ended :
       {run(site.daemon()), site.ingest({"archive", "--older-than", "365d"})}) {
    EXPECT_EQ(ended.exit_code, 66) << ended.err;
    EXPECT_THAT(ended.err, HasSubstr(site.db() + ": its symbolic links lead in a circle"));
  }
}

TEST(ASecondNameOfItsOwn, IsRefusedByAllThatWrite) {
  const Site site;
  site.load_sheet(shape(1, 2, 4));
  const std::string second = site.file("second.db");
  fs::create_hard_link(site.db(), second);
  const Flags ask = {"--db", second, "--unknown-outcome", "lookup", "--verify"};
  for (const Finish& ended :
       {run(site.daemon(by_name(second))), run(site.daemon()), run(site.daemon(ask)),
        site.ingest({"--db", second, site.file("sheet.csv")}),
        site.ingest({"archive", "--older-than", "365d"})}) {
    EXPECT_EQ(ended.exit_code, 78) << ended.out << ended.err;
    EXPECT_THAT(ended.err, HasSubstr("has 2 names (hard links)"));
  }
  EXPECT_FALSE(fs::exists(second + ".lock") || fs::exists(second + "-wal"));
  EXPECT_THAT(site.ledger(), IsEmpty());
  // a backup may be kept so, and reading harms nobody
  const Finish status = site.ingest({"--db", second, "status"});
  EXPECT_EQ(status.exit_code, 0) << status.err;
  fs::remove(second);
  EXPECT_EQ(site.drain().exit_code, 0);
  site.expect_promises_kept("40/60s", kEntities);
}

}  // namespace
}  // namespace dl::e2e

// What a service manager relies on beyond a single daemon: its watchdog (WatchdogSec=) hears from a
// daemon that works and from one that stands by (from one whose thread hangs it does not:
// tests/chaos/hang_test.cpp), and a standby stops when told to. With a real systemd:
// tests/systemd/drill.sh.
#include <SQLiteCpp/SQLiteCpp.h>
#include <gtest/gtest.h>
#include <sqlite3.h>

#include <csignal>
#include <filesystem>
#include <system_error>

#include "tests/e2e/site.h"
#include "tests/support/service_manager.h"

namespace dl::e2e {
namespace {

// As if started by a unit with WatchdogSec=1s.
Launch watched(Launch launch, const ServiceManager& manager) {
  launch.environment["NOTIFY_SOCKET"] = manager.path();
  launch.environment["WATCHDOG_USEC"] = "1000000";
  return launch;
}

void expect_life(ServiceManager& manager) {
  int signs = 0;
  eventually("signs of life", [&] { return (signs += manager.count("WATCHDOG=1")) >= 3; });
}

// All that is said up to `last`, a line each.
void expect_next(ServiceManager& manager, const std::string& last) {
  eventually(last, [&] {
    for (std::string said = manager.heard(); !said.empty(); said = manager.heard()) {
      if (said == last) return true;
    }
    return false;
  });
}

// A daemon that has done its work and goes on sending for its database.
struct Sender {
  Sender() : daemon((site.load_sheet(shape(1, 1, 1)), site.daemon())) {
    eventually("the sender works", [&] { return site.unfinished() == 0; });
  }
  const Site site;
  Process daemon;
};

void expect_stands_by(Process& standby) {
  eventually("it stands by",
             [&] { return standby.err().find("standby: waiting") != std::string::npos; });
}

TEST(Watchdog, HearsFromAnIdleDaemon) {
  const Site site;
  ServiceManager manager;
  const Process daemon(watched(site.daemon(), manager));
  expect_life(manager);
}

TEST(Watchdog, HearsFromAStandbyAndGivesItTimeToTakeOver) {
  Sender sender;
  const Site& site = sender.site;
  ServiceManager manager;
  const Process standby(watched(site.daemon({"--standby"}), manager));
  expect_next(manager, "READY=1\nSTATUS=standby: waiting for the lock");
  expect_life(manager);
  sender.daemon.signal(SIGKILL);
  expect_next(manager, "WATCHDOG_USEC=600000000");
  expect_next(manager, "READY=1\nSTATUS=sending to " + site.endpoint());
  expect_next(manager, "WATCHDOG_USEC=1000000");
  expect_life(manager);
}

// A machine that goes down tells all at once. The signal is there before the lock comes free, and
// is seen after.
TEST(Standby, ThatIsToldToStopDoesNotBeginWhereTheSenderEnds) {
  Sender sender;
  const Site& site = sender.site;
  Process standby(site.daemon({"--standby"}));
  expect_stands_by(standby);
  standby.signal(SIGSTOP);
  eventually("it is stopped", [&] {
    return text_of("/proc/" + std::to_string(standby.pid()) + "/stat").find(") T ") !=
           std::string::npos;
  });
  standby.signal(SIGTERM);
  sender.daemon.signal(SIGTERM);
  EXPECT_EQ(sender.daemon.wait(), 0) << sender.daemon.err();
  standby.signal(SIGCONT);
  EXPECT_EQ(standby.wait(), 0) << standby.err();
  EXPECT_EQ(site.number("SELECT count(*) FROM instance"), 1) << "it has taken over";
}

// New programs are installed, and a sheet is loaded before the daemon was started anew: migrated
// under its feet, its schema would be another than it knows, and it and its standby would end.
TEST(Upgrade, IsNotMadeByALoadBesideTheOldDaemon) {
  Sender sender;
  const Site& site = sender.site;
  // As an older schema looks from outside.
  const std::string older = std::to_string(site.number("SELECT max(version) - 1 FROM migration"));
  SQLite::Database file(site.db(), SQLite::OPEN_READWRITE, 60'000);
  sqlite3_db_config(file.getHandle(), SQLITE_DBCONFIG_ENABLE_TRIGGER, 0, nullptr);
  file.exec("DELETE FROM migration WHERE version > " + older + "; PRAGMA user_version = " + older);
  for (const Flags& beside :
       {Flags{site.file("sheet.csv")}, Flags{"archive", "--older-than", "365d"}}) {
    const Finish refused = site.ingest(beside);
    EXPECT_EQ(refused.exit_code, 75) << refused.out << refused.err;
    EXPECT_NE(refused.err.find("restart that first"), std::string::npos) << refused.err;
  }
}

// Somebody moves the database away under a pair. The sender ends; a standby that began anew with an
// empty one would know nothing of what was created, and create it again when the sheet is loaded
// again.
TEST(Standby, DoesNotBeginAnewWhereTheDatabaseIsGone) {
  Sender sender;
  const Site& site = sender.site;
  Process standby(site.daemon({"--standby"}));
  expect_stands_by(standby);
  std::error_code gone;  // as the sender takes its log away when it ends
  for (const char* part : {"", "-wal", "-shm", ".generation"})
    std::filesystem::rename(site.db() + part, site.db() + ".away" + part, gone);
  EXPECT_EQ(sender.daemon.wait(), 65) << sender.daemon.err();
  EXPECT_EQ(standby.wait(), 66) << standby.err();
  EXPECT_NE(standby.err().find("put it back"), std::string::npos) << standby.err();
  EXPECT_FALSE(std::filesystem::exists(site.db()));
}

}  // namespace
}  // namespace dl::e2e

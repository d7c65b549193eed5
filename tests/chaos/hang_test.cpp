// A thread that hangs, in the middle of a commit or of an answer, is said in the log, and the
// watchdog of systemd hears no more of this daemon: systemd then ends it, and the next one goes on
// where it was.
#include <gtest/gtest.h>

#include <csignal>

#include "tests/e2e/site.h"
#include "tests/support/service_manager.h"

namespace dl::chaos {
namespace {

using e2e::Flags;
using e2e::Site;

struct Hang {
  std::string at;
  std::string said;
};

class AThreadThatHangs : public testing::TestWithParam<Hang> {};

TEST_P(AThreadThatHangs, IsSaidAndIsNotCalledAlive) {
  const Flags by_key = {"--rate-limit", "none", "--unknown-outcome", "resubmit"};
  const Site site;
  site.load_sheet(e2e::shape(1, 1, 2));
  ServiceManager manager;
  Launch launch = site.daemon(by_key);
  launch.environment["NOTIFY_SOCKET"] = manager.path();
  launch.environment["WATCHDOG_USEC"] = "1000000";  // petted twice in a second
  launch.environment["DL_FAULT"] = GetParam().at + ":2:delay=1h,trace:" + site.file("reached");
  Process daemon(launch);
  eventually("it hangs", [&] {
    manager.count("");  // a socket that is full makes who speaks into it wait
    return text_of(site.file("reached")).find("fault at " + GetParam().at) != std::string::npos;
  });
  eventually("it is said", [&] {
    return daemon.err().find(GetParam().said + " has not come back for 1") != std::string::npos;
  });
  EXPECT_LE(manager.count("WATCHDOG=1"), 1) << "in ten seconds; one may have been answered before";
  daemon.signal(SIGABRT);  // WatchdogSignal=
  EXPECT_EQ(daemon.wait(), 128 + SIGABRT);
  const Finish rest = site.drain(by_key);
  EXPECT_EQ(rest.exit_code, 0) << rest.err;
  site.expect_promises_kept("none", e2e::entities(1, 1, 2));
}

INSTANTIATE_TEST_SUITE_P(
    In, AThreadThatHangs,
    testing::Values(Hang{"result.before_commit",
                         "the thread that writes the database (does the disk stand still?)"},
                    Hang{"recv.first_byte", "a thread that talks with the DSP"}),
    [](const auto& test) { return test.param.at.substr(0, test.param.at.find('.')); });

}  // namespace
}  // namespace dl::chaos

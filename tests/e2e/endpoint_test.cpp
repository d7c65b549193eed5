// A database and another DSP than the one that its ids are of.
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <csignal>

#include "tests/e2e/site.h"

namespace dl::e2e {
namespace {

using ::testing::IsEmpty;

const Flags kLooksUp = {"--unknown-outcome", "lookup", "--settle", "5m"};

// Seen: three 404s of the other DSP counted as absent, and the POST went there, beside what the
// first one had.
TEST(AnotherEndpoint, IsSentNothingUntilAPersonResumes) {
  const Site site({"--faults", "post.lost_answer:@1"});
  const Site other;
  site.load_sheet(shape(1, 1, 1));
  {
    Process daemon(site.daemon(kLooksUp));
    eventually("it is in doubt",
               [&] { return site.number("SELECT count(*) FROM v_in_doubt") == 1; });
    daemon.signal(SIGTERM);
    EXPECT_EQ(daemon.wait(), 0) << daemon.err();
  }
  {
    Process daemon(site.daemon(joined(kLooksUp, {"--endpoint", other.endpoint()})));
    const std::string said =
        "belong to " + site.endpoint() + ", and the endpoint is now " + other.endpoint();
    eventually("it says why it sends nothing",
               [&] { return daemon.err().find(said) != std::string::npos; });
    EXPECT_EQ(site.text("SELECT paused_by FROM account"), "endpoint check");
    daemon.signal(SIGKILL);
    EXPECT_EQ(daemon.wait(), 128 + SIGKILL) << daemon.err();
  }
  other.let_mock_catch_up();
  EXPECT_THAT(other.ledger(), IsEmpty());
  {
    Process daemon(site.daemon(joined(kLooksUp, {"--hold"})));  // seen: all was sent
    eventually("the hold is not skipped for a check that ends",
               [&] { return site.text("SELECT paused_by FROM account") == "--hold"; });
    eventually("it says why it sends nothing",
               [&] { return daemon.err().find("paused by --hold: ") != std::string::npos; });
    daemon.signal(SIGKILL);  // it may not hear a milder one yet
    EXPECT_EQ(daemon.wait(), 128 + SIGKILL) << daemon.err();
  }
  site.operate(
      "INSERT INTO operator_act (act, who, why) VALUES ('resume', 'maria', 'the right one')");
  const Finish drain = site.drain(kLooksUp);  // the former one again
  EXPECT_EQ(drain.exit_code, 0) << drain.err;
  site.expect_promises_kept("40/60s", entities(1, 1, 1));
}

}  // namespace
}  // namespace dl::e2e

// Which connection a request goes out on, by the ledger of a DSP that keeps every connection open.
#include <gtest/gtest.h>
#include <unistd.h>

#include <fstream>

#include "tests/e2e/site.h"
#include "tests/support/full_port.h"
#include "tests/support/tree.h"

namespace dl::e2e {
namespace {

struct Seen {
  // on a fresh connection; on one that was used before
  std::int64_t first_posts = 0, later_posts = 0;
  std::int64_t later_looks = 0;
};

Seen seen_with(const std::string& unknown_outcome) {
  const Site site({"--idempotency", "on", "--lookup", "on"});
  site.load_sheet(shape(3, 3, 4));
  const Finish drain = site.drain(
      {"--rate-limit", "none", "--in-flight", "3", "--unknown-outcome", unknown_outcome});
  EXPECT_EQ(drain.exit_code, 0) << drain.err;
  site.expect_promises_kept("none", entities(3, 3, 4));
  Seen seen;
  for (const Row& request : site.ledger()) {
    const bool is_first = request.at("request_on_connection") == "1";
    if (request.at("method") == "POST") {
      ++(is_first ? seen.first_posts : seen.later_posts);
    } else if (!is_first) {
      ++seen.later_looks;
    }
  }
  return seen;
}

// A name with two addresses, of which the first swallows all that is sent to it, as IPv6 behind a
// firewall does.
TEST(Connections, AreMadeWithTheAddressThatAnswers) {
  const Site site({"--idempotency", "on"});
  const int port = std::stoi(site.endpoint().substr(site.endpoint().rfind(':') + 1));
  const FullPort silent = FullPort::of_v6(port);
  const bool may_mount =
      ::geteuid() == 0 &&
      run({.program = "unshare", .arguments = {"--mount", "true"}, .environment = {}}).exit_code ==
          0;
  if (!silent.is_there() || !may_mount)
    GTEST_SKIP() << "needs IPv6, and a mount namespace for a hosts file of its own";
  site.load_sheet(shape(2, 2, 2));
  std::ofstream(site.file("hosts")) << "::1 localhost\n127.0.0.1 localhost\n";
  Launch launch = site.daemon({"--drain", "--rate-limit", "none", "--endpoint",
                               "http://localhost:" + std::to_string(port)});
  launch.environment["DL_CONNECT_TIMEOUT"] = "2m";  // two seconds for both
  const Flags in_a_namespace = {"--mount",
                                "sh",
                                "-c",
                                R"(mount --bind "$0" /etc/hosts && exec "$@")",
                                site.file("hosts"),
                                built_program(launch.program)};
  launch.arguments = joined(in_a_namespace, launch.arguments);
  launch.program = "unshare";
  const Finish drain = run(launch);
  EXPECT_EQ(drain.exit_code, 0) << drain.err;
  site.expect_promises_kept("none", entities(2, 2, 2));
}

// What a worker may take goes to the first; what is more, to all.
TEST(Connections, AreSpreadOverTheWorkersWhereEachTakesFew) {
  for (const auto& [each, workers] :
       {std::pair("1", "0,1,2"), std::pair("2", "0,1"), std::pair("128", "0")}) {
    const Site site({"--idempotency", "on"});
    site.load_sheet(shape(2, 2, 8));
    const Finish drain =
        site.drain({"--rate-limit", "none", "--in-flight", "4", "--workers", "3",
                    "--unknown-outcome", "resubmit", "--connections-per-worker", each});
    EXPECT_EQ(drain.exit_code, 0) << drain.err;
    site.expect_promises_kept("none", entities(2, 2, 8));
    EXPECT_EQ(site.text("SELECT group_concat(worker) FROM (SELECT DISTINCT worker FROM request "
                        "ORDER BY worker)"),
              workers)
        << each;
  }
}

// On a used connection "closed while it idled" and "applied, then died" look the same.
TEST(Connections, AreFreshForEachPostUnlessTheDspHonoursKeys) {
  for (const std::string means : {"hold", "lookup"}) {
    const Seen seen = seen_with(means);
    EXPECT_EQ(seen.first_posts, entities(3, 3, 4)) << means;
    EXPECT_EQ(seen.later_posts, 0) << means;
    EXPECT_GT(seen.later_looks, 0)
        << means << ": what is repeated without harm keeps its connection";
  }
  EXPECT_GT(seen_with("resubmit").later_posts, 0) << "the same key again does no harm";
}

}  // namespace
}  // namespace dl::e2e

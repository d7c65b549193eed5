// Which connection a request goes out on, by the ledger of a DSP that keeps every connection open.
#include <gtest/gtest.h>

#include "tests/e2e/site.h"

namespace dl::e2e {
namespace {

struct Seen {
  std::int64_t first_posts = 0, later_posts = 0;  // on a fresh connection; on one that was used before
  std::int64_t later_looks = 0;
};

Seen seen_with(const std::string& unknown_outcome) {
  const Site site({"--idempotency", "on", "--lookup", "on"});
  site.load_sheet(shape(3, 3, 4));
  const Finish drain = site.drain({"--rate-limit", "none", "--in-flight", "3", "--unknown-outcome", unknown_outcome});
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

// On a used connection "closed while it idled" and "applied, then died" look the same.
TEST(Connections, AreFreshForEachPostUnlessTheDspHonoursKeys) {
  for (const std::string means : {"hold", "lookup"}) {
    const Seen seen = seen_with(means);
    EXPECT_EQ(seen.first_posts, entities(3, 3, 4)) << means;
    EXPECT_EQ(seen.later_posts, 0) << means;
    EXPECT_GT(seen.later_looks, 0) << means << ": what is repeated without harm keeps its connection";
  }
  EXPECT_GT(seen_with("resubmit").later_posts, 0) << "the same key again does no harm";
}

}  // namespace
}  // namespace dl::e2e

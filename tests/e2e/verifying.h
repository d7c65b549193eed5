// What the tests of dl-daemon --verify share.
#pragma once

#include <gmock/gmock.h>

#include <string>

#include "tests/e2e/site.h"

namespace dl::e2e {

inline const Flags kLooksUp = {"--unknown-outcome", "lookup"};

inline Finish verify(const Site& site, const Flags& flags = kLooksUp) {
  return run(site.daemon(joined({"--verify"}, flags)));
}

// Mocks that look up and honour no keys, so that a second POST is a second entity.
inline const Flags kMock = {"--idempotency", "off", "--limit", "40/60s"};

inline std::string key_of(const Site& site, std::int64_t job) {
  return site.text("SELECT idempotency_key FROM request WHERE purpose = 'create' AND job_id = " +
                   std::to_string(job));
}

// No window above the limit, and nothing that the mock had to refuse, lookups and all.
inline void expect_within_the_limit(const Site& site) {
  const Finish judge = run(Launch{.program = "dl-mock-dsp",
                                  .arguments = {"judge", site.ledger_path(), "--limit", "40/60s"},
                                  .environment = {},
                                  .errors_to = ErrorsTo::file});
  EXPECT_THAT(judge.out, ::testing::Not(::testing::HasSubstr("broken"))) << judge.out;
  std::int64_t refused = 0;
  for (const Row& line : site.ledger()) refused += line.at("status") == "429" ? 1 : 0;
  EXPECT_EQ(refused, 0);
}

}  // namespace dl::e2e

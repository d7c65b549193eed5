#include "storage/idempotency_key.h"

#include <gmock/gmock.h>

#include <set>

#include "storage/digest.h"

namespace dl {
namespace {

constexpr const char* kDatabase = "7f0b0f2c-2f5c-4a87-9f43-0f6a2a1f9b11";
constexpr const char* kOtherDatabase = "7f0b0f2c-2f5c-4a87-9f43-0f6a2a1f9b12";

TEST(IdempotencyKey, IsAVersion5Uuid) {
  EXPECT_THAT(idempotency_key(kDatabase, "c1/ag1", 1),
              ::testing::MatchesRegex(
                  "[0-9a-f]{8}-[0-9a-f]{4}-5[0-9a-f]{3}-[89ab][0-9a-f]{3}-[0-9a-f]{12}"));
}

// python3: uuid.uuid5(uuid.UUID('7f0b0f2c-...'), 'c1/ag1\n1'). A release that makes other keys
// would create twice what the one before left in doubt.
TEST(IdempotencyKey, NeverChangesFromReleaseToRelease) {
  EXPECT_EQ(idempotency_key(kDatabase, "c1/ag1", 1), "dad915a4-1618-5bc3-b0bd-a755695c2127");
  EXPECT_EQ(idempotency_key(kDatabase, "c1/ag1", 1), idempotency_key(kDatabase, "c1/ag1", 1));
}

TEST(IdempotencyKey, DiffersByDatabaseKeyAndAttempt) {
  std::set<std::string> keys;
  for (const char* database : {kDatabase, kOtherDatabase}) {
    for (const char* job : {"c1", "c1/ag1", "c1/ag1\n1", "c1/ag11", ""}) {
      for (const int attempt : {1, 2, 11, 111})
        keys.insert(idempotency_key(database, job, attempt));
    }
  }
  EXPECT_EQ(keys.size(), 2U * 5 * 4);
}

TEST(Digest, IsSha256InHex) {
  EXPECT_EQ(hex(sha256("")), "e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855");
  EXPECT_EQ(hex(sha256("abc")), "ba7816bf8f01cfea414140de5dae2223b00361a396177a9cb410ff61f20015ad");
  EXPECT_NE(sha256("abc"), sha256(std::string_view("abc\0", 4)));
  EXPECT_EQ(static_cast<std::uint64_t>(short_digest("abc")), 0xba7816bf8f01cfeaU);
}

// Beside the time that a request may take, a quarter of the lifetime is left for a daemon that is
// stopped meanwhile.
TEST(LastUseOfKey, LeavesTimeForADaemonThatIsStopped) {
  constexpr Millis kMinute = 60'000;
  const auto last_use = [](Millis lifetime) {
    return last_use_of_key(lifetime, 2 * kMinute, kMinute);
  };
  EXPECT_EQ(last_use(24 * 60 * kMinute), (24 * 60 - 3 - 60) * kMinute) << "at most an hour";
  EXPECT_EQ(last_use(20 * kMinute), (20 - 3 - 5) * kMinute);
  EXPECT_LE(last_use(4 * kMinute), 0) << "at least a minute";
  EXPECT_GT(last_use(4 * kMinute + 4'000), 0);
}

}  // namespace
}  // namespace dl

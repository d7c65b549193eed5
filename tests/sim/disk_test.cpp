#include "tests/sim/disk.h"

#include <gtest/gtest.h>

#include <set>

namespace dl::sim {
namespace {

constexpr const char* kName = "file";

std::string content(const Disk& disk) {
  const std::shared_ptr<DiskFile> file = disk.find(kName);
  if (!file) return "(none)";
  std::string bytes(static_cast<std::size_t>(file->size()), '?');
  file->read(bytes.data(), file->size(), 0);
  return bytes;
}

std::shared_ptr<DiskFile> make_synced(Disk& disk, const std::string& bytes) {
  const std::shared_ptr<DiskFile> file = disk.make(kName);
  file->write(bytes.data(), static_cast<std::int64_t>(bytes.size()), 0);
  file->sync();
  return file;
}

TEST(Disk, ShowsWhatWasWrittenBeforeItIsSynced) {
  Disk disk;
  disk.make(kName)->write("abc", 3, 2);

  EXPECT_EQ(content(disk), std::string("\0\0abc", 5));
}

TEST(Disk, KeepsWhatWasSynced) {
  for (std::uint64_t seed = 0; seed < 50; ++seed) {
    Disk disk;
    Dice dice(seed);
    make_synced(disk, "safe");
    disk.lose_power(dice);
    EXPECT_EQ(content(disk), "safe");
  }
}

// Three sectors are overwritten: with enough seeds each is seen old, new and torn, and
// independently.
TEST(Disk, KeepsDropsAndTearsUnsyncedSectors) {
  const std::string old_bytes(3 * 512, 'o');
  const std::string new_bytes(3 * 512, 'n');
  std::set<std::string> seen;  // of each sector: o, n or t
  for (std::uint64_t seed = 0; seed < 2'000; ++seed) {
    Disk disk;
    Dice dice(seed);
    make_synced(disk, old_bytes)->write(new_bytes.data(), 3 * 512, 0);
    disk.lose_power(dice);
    const std::string now = content(disk);
    ASSERT_EQ(now.size(), old_bytes.size());
    std::string kinds;
    for (std::size_t sector = 0; sector < 3; ++sector) {
      const std::string bytes = now.substr(sector * 512, 512);
      const std::size_t first_old = bytes.find('o');
      EXPECT_EQ(bytes.find('n', first_old == std::string::npos ? 512 : first_old),
                std::string::npos)
          << "a torn sector is new, then old";
      kinds += first_old == 0 ? 'o' : first_old == std::string::npos ? 'n' : 't';
    }
    seen.insert(kinds);
  }
  EXPECT_EQ(seen.size(), 27U);
}

TEST(Disk, MayForgetATruncationAndANewFileAndADeletion) {
  std::set<std::string> truncated;
  std::set<std::string> made;
  std::set<std::string> removed;
  for (std::uint64_t seed = 0; seed < 100; ++seed) {
    Dice dice(seed);
    Disk first;
    make_synced(first, "long")->truncate(1);
    first.lose_power(dice);
    truncated.insert(content(first));
    Disk second;
    second.make(kName)->write("new", 3, 0);
    second.lose_power(dice);
    made.insert(content(second).substr(0, 3));
    Disk third;
    make_synced(third, "gone");
    third.remove(kName, false);
    third.lose_power(dice);
    removed.insert(content(third));
  }
  EXPECT_EQ(truncated, (std::set<std::string>{"l", "long"}));
  EXPECT_TRUE(made.contains("") && made.contains("new"));
  EXPECT_EQ(removed, (std::set<std::string>{"(none)", "gone"}));
}

TEST(Disk, ForgetsADeletionNoMoreOnceTheFolderIsSynced) {
  for (std::uint64_t seed = 0; seed < 50; ++seed) {
    Disk disk;
    Dice dice(seed);
    make_synced(disk, "gone");
    disk.remove(kName, true);
    disk.lose_power(dice);
    EXPECT_EQ(content(disk), "(none)");
  }
}

}  // namespace
}  // namespace dl::sim

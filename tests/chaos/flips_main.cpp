// dl-flips: what a daemon makes of a file in which one bit has turned over. Each specimen is a
// database in the middle of its work: a sheet was loaded, and the daemon that sent it was killed.
// Then one bit of one of its files is turned, another daemon goes on, and the DSP's ledger says
// what came of it. Refusing to start is right, and so is all that the sheet says; anything else is
// a violation: an entity that the sheet has not, or twice, or under another parent.
#include <SQLiteCpp/SQLiteCpp.h>
#include <gtest/gtest.h>
#include <stdlib.h>

#include <atomic>
#include <chrono>
#include <csignal>
#include <cstdio>
#include <filesystem>
#include <fstream>
#include <map>
#include <mutex>
#include <set>
#include <sstream>
#include <string>
#include <thread>
#include <vector>

#include "storage/model/result.h"
#include "tests/chaos/flags.h"
#include "tests/chaos/verdict.h"
#include "tests/e2e/site.h"
#include "tests/mock_dsp/json_object.h"
#include "tests/mock_dsp/random.h"

namespace {

using dl::Errc;
using dl::e2e::Flags;
using dl::e2e::Site;
using dl::mock::Random;
using SteadyClock = std::chrono::steady_clock;

// A time in the tables may have become the year 3000: then the daemon waits, and sends nothing.
constexpr std::chrono::seconds kWaits{20};

int usage() {
  std::fputs(
      "usage: dl-flips [--flips N] [--seed S] [--jobs N] [--trace]\n"
      "  --flips N    so many bits, each in a database of its own (200)\n"
      "  --seed S     of the first; the next ones have S + 1, S + 2, … (by chance)\n"
      "  --jobs N     databases at once (6)\n"
      "  --trace      each bit, and what came of it\n",
      stderr);
  return 64;
}

struct Bit {
  std::string file;  // its ending: "", "-wal", ".generation"
  std::size_t offset = 0;
  int bit = 0;
  unsigned char was = 0;
};

struct Stretch {  // of a file
  std::size_t from = 0;
  std::size_t bytes = 0;
};

// A page of the database that holds rows or an index of them.
Stretch draw_page(const Site& site, Random& random) {
  SQLite::Database database(site.db(), SQLite::OPEN_READONLY, 10'000);
  const auto bytes = static_cast<std::size_t>(database.execAndGet("PRAGMA page_size").getInt());
  std::vector<std::size_t> pages;
  SQLite::Statement rows(database,
                         "SELECT pageno FROM dbstat WHERE name <> 'sqlite_schema' AND payload > 0");
  while (rows.executeStep())
    pages.push_back(static_cast<std::size_t>(rows.getColumn(0).getInt64()));
  return {(pages[random.below(pages.size())] - 1) * bytes, bytes};
}

// Most of a young database is the text of its schema, and most other bytes are 0 and mean nothing:
// so half of the bits are aimed at rows, and three of four at a byte that is not 0.
Bit draw_bit(const Site& site, Random& random) {
  Bit bit;
  if (random.below(16) == 0) bit.file = ".generation";
  if (bit.file.empty() && random.below(2) == 0) bit.file = "-wal";
  if (dl::text_of(site.db() + bit.file).empty()) bit.file = "";
  const bool at_rows = bit.file.empty() && random.below(2) == 0;
  const Stretch page = at_rows ? draw_page(site, random) : Stretch{};
  const std::string bytes = dl::text_of(site.db() + bit.file);
  // A page that is only in the log lies behind the end of the file.
  const bool is_there = at_rows && page.from + page.bytes <= bytes.size();
  const Stretch aim = is_there ? page : Stretch{0, bytes.size()};
  const bool any = random.below(4) == 0;
  do {
    bit.offset = aim.from + random.below(aim.bytes);
  } while (!any && bytes[bit.offset] == '\0');
  bit.bit = static_cast<int>(random.below(8));
  bit.was = static_cast<unsigned char>(bytes[bit.offset]);
  return bit;
}

void turn(const Site& site, const Bit& bit) {
  std::fstream file(site.db() + bit.file, std::ios::in | std::ios::out | std::ios::binary);
  file.seekp(static_cast<std::streamoff>(bit.offset));
  file.put(static_cast<char>(bit.was ^ (1U << bit.bit)));
  file.close();
  DL_CHECK(file.good(), "a bit can be turned");
}

// What the sheet asks for: the keys of its jobs ("c1/g2/a1").
std::set<std::string> keys_in(const Site& site) {
  std::set<std::string> keys;
  for (const auto& row : site.rows("SELECT key FROM job")) keys.insert(row.at("key"));
  return keys;
}

// By the DSP's ledger: what it has that nobody asked for. Where a parent is another one's, the path
// from the root down is one that the sheet does not have.
std::string wrongs_in(const std::string& ledger, const std::set<std::string>& keys) {
  std::ostringstream wrongs;
  const std::string findings = dl::chaos::promises_broken_in(ledger);
  if (!findings.empty()) wrongs << findings;
  std::map<std::string, std::string> paths;  // of each entity, by its DSP id
  std::ifstream file(ledger);
  for (std::string text; std::getline(file, text);) {
    std::string entity, parent, dsp_id;
    bool created = false;
    dl::mock::read_json_object(text, [&](const dl::mock::JsonField& field) {
      if (field.name == "entity") entity = field.text;
      if (field.name == "parent") parent = field.text;
      if (field.name == "dsp_id") dsp_id = field.text;
      if (field.name == "created") created = field.text == "true";
    });
    if (!created) continue;
    const std::string path = parent.empty() ? entity : paths[parent] + "/" + entity;
    paths[dsp_id] = path;
    if (!keys.contains(path)) wrongs << path << " was created, which no sheet has; ";
  }
  return wrongs.str();
}

// It sends nothing until a person has looked.
bool is_paused(const Site& site) {
  try {
    SQLite::Database database(site.db(), SQLite::OPEN_READONLY, 1'000);
    return database.execAndGet("SELECT paused_by IS NOT NULL FROM account").getInt() != 0;
  } catch (const SQLite::Exception&) {
    return false;  // of a damaged file the daemon's end will say more
  }
}

struct Result {
  Bit bit;
  std::string end;  // in words, for the sums
  std::string violation;
};

std::string name_of_end(int exit_code) {
  switch (exit_code) {
    case 0: return "all was created, once";
    case static_cast<int>(Errc::incomplete):
      return "some of it waits for a decision, or has failed";
    case static_cast<int>(Errc::data): return "refused: the database is damaged (65)";
    case static_cast<int>(Errc::config): return "refused: another schema (78)";
    case static_cast<int>(Errc::io): return "stopped: cannot be read (74)";
    default: return "stopped with " + std::to_string(exit_code);
  }
}

// Ends that nobody is told the reason of, or that blame another thing.
bool is_no_end(int exit_code) {
  return exit_code > 128 || exit_code == static_cast<int>(Errc::software);
}

Flags flags_of(std::uint64_t seed, Random& random) {
  constexpr const char* kMeans[] = {"resubmit", "lookup", "hold"};
  return {"--drain",
          "--rate-limit",
          "none",
          "--unknown-outcome",
          kMeans[seed % 3],
          "--late-arrival",
          "3s",
          "--settle",
          "5s",
          "--log-level",
          "warning",
          "--in-flight",
          std::to_string(1 + random.below(4))};
}

Result examine(std::uint64_t seed) {
  Random random(seed);
  const Site site({"--idempotency", seed % 3 == 0 ? "on" : "off", "--lookup",
                   seed % 3 == 1 ? "on" : "off", "--processing", "zero"});
  site.load_sheet(dl::e2e::shape(2, 2, 2));
  const std::set<std::string> keys = keys_in(site);
  const Flags flags = flags_of(seed, random);
  dl::Launch first = site.daemon(flags);
  first.environment["DL_FAULT"] =
      (random.below(2) == 0 ? "intent.after_commit:" : "result.before_commit:") +
      std::to_string(1 + random.below(20)) + ":kill";
  dl::run(first);
  if (random.below(2) == 0) {
    SQLite::Database fold(site.db(), SQLite::OPEN_READWRITE, 10'000);
    fold.execAndGet("PRAGMA wal_checkpoint(TRUNCATE)");
  }

  Result result;
  result.bit = draw_bit(site, random);
  turn(site, result.bit);
  dl::Process second(site.daemon(flags));
  const auto until = SteadyClock::now() + kWaits;
  bool is_left_waiting = false;
  while (!is_left_waiting && !second.ends_within(std::chrono::milliseconds{200})) {
    const bool asks = is_paused(site);
    is_left_waiting = asks || SteadyClock::now() > until;
    if (is_left_waiting) result.end = asks ? "paused until a person has looked" : "waits";
  }
  if (is_left_waiting) second.signal(SIGKILL);
  const int exit_code = second.wait();
  if (!is_left_waiting) result.end = name_of_end(exit_code);
  site.let_mock_catch_up();
  std::string wrongs = wrongs_in(site.ledger_path(), keys);
  if (!is_left_waiting && is_no_end(exit_code)) wrongs += result.end + ": " + second.err();
  if (!wrongs.empty()) {
    result.violation = "seed " + std::to_string(seed) + ", " + flags[4] + ", " +
                       (result.bit.file.empty() ? "database" : result.bit.file) + ", byte " +
                       std::to_string(result.bit.offset) + " (" + std::to_string(result.bit.was) +
                       "), bit " + std::to_string(result.bit.bit) + ": " + wrongs;
  }
  return result;
}

class Tally {
 public:
  void add(std::uint64_t seed, const Result& result, bool trace) {
    const std::scoped_lock lock(mutex_);
    ++flips_;
    ++ends_[result.end][result.bit.file];
    if (trace) {
      std::printf("%llu: %s byte %zu bit %d: %s\n", static_cast<unsigned long long>(seed),
                  result.bit.file.c_str(), result.bit.offset, result.bit.bit, result.end.c_str());
    }
    if (!result.violation.empty()) {
      ++violations_;
      std::printf("VIOLATION %s\n", result.violation.c_str());
    }
    constexpr std::int64_t kEvery = 1'000;
    if (flips_ % kEvery == 0) {
      std::printf("%lld flips so far, %lld violations\n", static_cast<long long>(flips_),
                  static_cast<long long>(violations_));
    }
    std::fflush(stdout);
  }
  int conclude() const {
    std::printf("%10s %10s %12s\n", "database", "its log", ".generation");
    for (const auto& [end, files] : ends_) {
      const auto in = [&files = files](const char* file) {
        const auto at = files.find(file);
        return static_cast<long long>(at == files.end() ? 0 : at->second);
      };
      std::printf("%10lld %10lld %12lld  %s\n", in(""), in("-wal"), in(".generation"), end.c_str());
    }
    std::printf("%lld flips, %lld violations\n", static_cast<long long>(flips_),
                static_cast<long long>(violations_));
    // A specimen that could not be made has said so.
    return violations_ == 0 && !::testing::UnitTest::GetInstance()->Failed() ? 0 : 1;
  }

 private:
  std::mutex mutex_;
  std::int64_t flips_ = 0;
  std::int64_t violations_ = 0;
  std::map<std::string, std::map<std::string, std::int64_t>> ends_;
};

}  // namespace

int main(int argc, char** argv) {
  dl::chaos::Flags options;
  if (!dl::chaos::parse(argc, argv, "--flips", options)) return usage();
  ::setenv("TMPDIR", "/dev/shm", 0);
  std::printf("--seed %llu\n", static_cast<unsigned long long>(options.seed));
  const std::uint64_t end = options.seed + static_cast<std::uint64_t>(options.amount);
  std::atomic<std::uint64_t> next{options.seed};
  Tally tally;
  std::vector<std::thread> threads;
  for (int i = 0; i < options.jobs; ++i) {
    threads.emplace_back([&] {
      for (std::uint64_t seed = next++; seed < end; seed = next++)
        tally.add(seed, examine(seed), options.trace);
    });
  }
  for (std::thread& thread : threads) thread.join();
  return tally.conclude();
}

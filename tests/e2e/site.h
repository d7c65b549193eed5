// A place to run the real programs in: a folder with a database, a mock DSP on a free port, and
// both clocks, the daemon's and the mock's, kScale times as fast as the machine's. Thread rule: one
// owner. Ownership: owns the folder and the mock; daemons belong to the test.
#pragma once

#include <cstdint>
#include <map>
#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "tests/support/process.h"

namespace dl::e2e {

// A window of 60 s takes one, which is hundreds of round trips on this machine.
inline constexpr int kScale = 60;

using Flags = std::vector<std::string>;
using Row = std::map<std::string, std::string>;  // by column; NULL is an empty text

class Site {
 public:
  // `mock_flags`: besides those that say where it listens and what it writes.
  explicit Site(const Flags& mock_flags = {});

  std::string file(const std::string& name) const { return folder_.file(name); }
  std::string db() const { return file("jobs.db"); }
  std::string ledger_path() const { return file("ledger.jsonl"); }
  std::string endpoint() const { return endpoint_; }
  // Ends the mock; the endpoint is out of reach from here on.
  void stop_mock();

  // How to start a daemon on this database. Its patience with a slow machine is long; flags decide.
  Launch daemon(Flags flags = {}) const;
  // Runs one with --drain to its end.
  Finish drain(Flags flags = {}) const;
  Finish ingest(const Flags& arguments) const;
  // Makes a sheet of that shape (dl-make-sheet's flags) and loads it, with dl-ingest's `flags`.
  void load_sheet(const Flags& shape, const Flags& flags = {}) const;

  // Reads the database, as anybody may at any time.
  std::vector<Row> rows(const std::string& query) const;
  std::string text(const std::string& query) const;  // the first column of the only row
  std::int64_t number(const std::string& query) const;
  // What an operator types: the sqlite3 shell must take it. What it prints.
  std::string operate(const std::string& typed) const;

  // Somebody else's POST to the mock, by no daemon of ours. Its answer, head and body.
  std::string post(const std::string& target, const std::string& body) const;

  // Jobs that have not succeeded.
  std::int64_t unfinished() const;
  // The mock's ledger, judged: every promise kept, `entities` alive, no window above `limit`; and
  // the daemon's own, by the operators' check_promises.sql.
  void expect_promises_kept(const std::string& limit, std::int64_t entities) const;
  // By the mock's ledger alone, for databases of the test's own: each entity once.
  void expect_created_once(std::int64_t entities) const;
  // Returns once all that was sent to the mock before, by whomever, is in its ledger.
  void let_mock_catch_up() const;
  // Requests in the ledger: all its lines but that of the start.
  std::vector<Row> ledger() const;

 private:
  void expect_by_ledger(const Flags& expectations) const;

  TemporaryFolder folder_;
  std::unique_ptr<Process> mock_;
  std::string endpoint_;
};

// The campaigns' part of dl-make-sheet's flags, and how many entities they come to.
inline Flags shape(int campaigns, int ad_groups, int ads) {
  return {"--campaigns", std::to_string(campaigns), "--ad-groups", std::to_string(ad_groups),
          "--ads",       std::to_string(ads)};
}
constexpr std::int64_t entities(int campaigns, int ad_groups, int ads) {
  return campaigns * (1 + ad_groups * (1 + std::int64_t{ads}));
}

// Both lists, the second behind the first.
Flags joined(Flags first, const Flags& second);

}  // namespace dl::e2e

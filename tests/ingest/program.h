// The real dl-ingest, run in a folder of the test's own with a database there.
#pragma once

#include <SQLiteCpp/SQLiteCpp.h>
#include <sys/types.h>

#include <filesystem>
#include <memory>
#include <string>
#include <string_view>
#include <vector>

#include "storage/database.h"

namespace dl {

struct Ran {
  int exit_code = -1;  // 128 + signal where it was killed
  std::string out;
  std::string err;  // without the line that names the database
};

class Program {
 public:
  Program();
  ~Program();
  Program(const Program&) = delete;
  Program& operator=(const Program&) = delete;

  // Runs `dl-ingest --db jobs.db ARGS` with `in` as stdin, to its end.
  Ran run(std::vector<std::string> args, std::string_view in = "") const;
  // The same with a stdout that takes nothing.
  Ran run_with_full_stdout(std::vector<std::string> args) const;
  // Starts it, with its stdout in started.txt, and returns its pid.
  pid_t start(std::vector<std::string> args) const;

  std::filesystem::path path(std::string_view name) const { return folder_ / name; }
  // Writes a file in the folder and returns its name there (the program runs in the folder).
  std::string write(std::string_view name, std::string_view text) const;
  std::string read(std::string_view name) const;
  bool has_database() const { return std::filesystem::exists(path("jobs.db")); }

  // First column of the first row; "" for NULL and for no row.
  std::string ask(const std::string& sql) const;
  // Runs SQL as the daemon would: named in `writer`.
  void as_daemon(const std::string& sql) const;

 private:
  Ran wait_for(pid_t pid) const;
  pid_t spawn(std::vector<std::string> args, const std::string& in, const std::string& out,
              const std::string& err) const;
  std::filesystem::path folder_;
};

// The sample sheet, and its header and rows without line ends.
std::string sample();
std::vector<std::string> sample_lines();
// One sheet of the header and these rows, lines ended by \n.
std::string sheet_of(const std::vector<std::string>& rows);
// Row `i` of the sample with the field of `column` replaced.
std::string row_with(std::size_t i, std::string_view column, std::string_view value);
// A sheet of `campaigns` campaigns with 5 ad groups of 20 ads each.
std::string big_sheet(int campaigns);

}  // namespace dl

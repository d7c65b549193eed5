// What is wrong with an input, told so that a person can put it right:
//   sheet.csv:14: bid: bad_number: not a decimal number; write 15000 or 2.5: "abc" (row 9)
// Plain values and their collection. Thread rule: one thread at a time.
#pragma once

#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

namespace dl {

struct Problem {
  std::int64_t line = 0;       // physical line, 1 = first; 0: the file as a whole
  std::int64_t sheet_row = 0;  // as a spreadsheet counts (header = 1); 0: not a sheet
  std::string column;   // the user's name for it; "row", "header" or "file" for more than one
  std::string code;     // stable, for scripts
  std::string message;  // what is wrong and what to do
  std::string value;    // as it stands in the file; shortened when printed
  bool has_value = false;
  std::int64_t row = 0;  // its Row::number; 0: of no row, or of one that could not be read
};

// One line without its end. `file`: the name to print. The row is added where it is not the line.
std::string to_text(const Problem& problem, std::string_view file);

// Control characters, and whatever is not ASCII where it is not UTF-8, as \xNN, hidden ones as
// \uNNNN or \UNNNNNNNN; at most `bytes_max` bytes of it, never half a character.
std::string shown(std::string_view value, std::size_t bytes_max);

// "1 error", "2 errors".
std::string counted(std::int64_t count, std::string_view noun);

// All problems of one input. Keeps the first of them in memory, so many and so long, and counts the
// rest.
class Problems {
 public:
  static constexpr std::size_t kKept = 100'000;
  static constexpr std::size_t kKeptBytes = 32 * 1024 * 1024;  // of their texts

  void add(Problem problem);
  // A remark that refuses nothing.
  void warn(Problem problem);
  // Row `number` (1 = first below the header) cannot be loaded. Numbers come in ascending order.
  void mark_bad_row(std::int64_t number);
  // The same for rows found bad afterwards, in any order.
  void mark_bad_rows(std::vector<std::uint32_t> numbers);

  bool empty() const { return count_ == 0; }
  std::int64_t count() const { return count_; }
  // In the order of the lines.
  const std::vector<Problem>& errors();
  const std::vector<Problem>& warnings() const { return warnings_; }
  bool is_bad_row(std::int64_t number) const;
  std::int64_t bad_rows() const { return static_cast<std::int64_t>(bad_rows_.size()); }

 private:
  void keep(std::vector<Problem>& kept, Problem problem);

  std::int64_t count_ = 0;
  std::size_t bytes_ = 0;
  std::vector<Problem> errors_;
  std::vector<Problem> warnings_;
  std::vector<std::uint32_t> bad_rows_;  // ascending
};

}  // namespace dl

#include <algorithm>
#include <cctype>
#include <string_view>

#include "tests/tidy/rules.h"
#include "tests/tidy/source_file.h"

namespace dl::tidy {
namespace {

constexpr int kHardLines = 400;
constexpr int kSoftLines = 300;

// What ring 0 and the core may use: values and algorithms. <chrono> is there for the calendar.
constexpr std::string_view kPureHeaders[] = {
    "algorithm",     "array",           "bit",     "charconv",
    "chrono",        "cmath",           "compare", "concepts",
    "cstddef",       "cstdint",         "cstring", "deque",
    "functional",    "iterator",        "limits",  "list",
    "map",           "memory",          "numbers", "numeric",
    "optional",      "queue",           "set",     "span",
    "string",        "string_view",     "tuple",   "type_traits",
    "unordered_map", "unordered_set",   "utility", "variant",
    "vector",        "initializer_list"};
constexpr std::string_view kClocks[] = {"system_clock",  "steady_clock", "high_resolution_clock",
                                        "clock_gettime", "gettimeofday", "time(nullptr)"};
constexpr std::string_view kSleeps[] = {"sleep_for(", "sleep_until(", "usleep(", "nanosleep("};

bool has_any(std::string_view text, std::initializer_list<std::string_view> words) {
  return std::ranges::any_of(
      words, [text](std::string_view word) { return text.find(word) != std::string_view::npos; });
}

// The code of a line: what stands in front of its comment.
std::string_view before(std::string_view text, std::string_view comment) {
  return text.substr(0, std::min(text.find(comment), text.size()));
}

std::string lower(std::string_view text) {
  std::string lowered(text);
  for (char& c : lowered) c = static_cast<char>(std::tolower(static_cast<unsigned char>(c)));
  return lowered;
}

// One space between words.
std::string squeezed(std::string_view text) {
  std::string words;
  for (const char c : text) {
    const bool is_space = c == ' ' || c == '\t';
    if (is_space && (words.empty() || words.back() == ' ')) continue;
    words += is_space ? ' ' : c;
  }
  return words;
}

Complaints longer_than(const std::vector<SourceFile>& files, int limit) {
  Complaints complaints;
  for (const SourceFile& file : files) {
    const int n = static_cast<int>(lines_of(file).size());
    if (!is_cpp(file) || n <= limit) continue;
    complaints.push_back(
        complaint(file, n, "more than " + std::to_string(limit) + " lines; one idea a file"));
  }
  return complaints;
}

}  // namespace

Complaints purity(const std::vector<SourceFile>& files) {
  Complaints complaints;
  for (const SourceFile& file : files) {
    const bool is_pure =
        is_below(file.path, "storage/model/") || is_below(file.path, "daemon/core/");
    if (!is_cpp(file) || !is_pure) continue;
    const bool may_die = file.path == "storage/model/check.h";  // a failed check prints and aborts
    for (const Include& include : includes_of(file)) {
      const bool is_listed =
          std::ranges::find(kPureHeaders, include.name) != std::end(kPureHeaders);
      const bool is_for_dying = may_die && (include.name == "cstdio" || include.name == "cstdlib");
      if (include.is_ours || is_listed || is_for_dying) continue;
      complaints.push_back(complaint(
          file, include.line, "<" + std::string(include.name) + "> is not for the pure rings"));
    }
    for (const Line& line : lines_of(file)) {
      for (const std::string_view clock : kClocks) {
        if (before(line.text, "//").find(clock) == std::string_view::npos) continue;
        complaints.push_back(complaint(file, line.number, "reads a clock; time is an argument"));
      }
    }
  }
  return complaints;
}

Complaints file_lengths(const std::vector<SourceFile>& files) {
  return longer_than(files, kHardLines);
}
Complaints long_files(const std::vector<SourceFile>& files) {
  return longer_than(files, kSoftLines);
}

Complaints sleeping_tests(const std::vector<SourceFile>& files) {
  Complaints complaints;
  for (const SourceFile& file : files) {
    if (!is_cpp(file) || !is_below(file.path, "tests/") || is_below(file.path, "tests/tidy/"))
      continue;
    std::string_view above;
    for (const Line& line : lines_of(file)) {
      const bool has_reason = has_any(line.text, {"// waits:"}) || has_any(above, {"// waits:"});
      above = line.text;
      for (const std::string_view sleep : kSleeps) {
        if (has_reason || before(line.text, "//").find(sleep) == std::string_view::npos) continue;
        complaints.push_back(
            complaint(file, line.number, "sleeps without saying what it waits for"));
      }
    }
  }
  return complaints;
}

Complaints notes_to_self(const std::vector<SourceFile>& files) {
  Complaints complaints;
  for (const SourceFile& file : files) {
    if (is_below(file.path, "tests/tidy/")) continue;  // which has to write them down
    for (const Line& line : lines_of(file)) {
      if (!has_any(line.text, {"TODO", "FIXME", "XXX"})) continue;
      if (has_any(line.text, {"XXXX"})) continue;  // a template of mkstemp
      complaints.push_back(complaint(file, line.number, "a note to a later self"));
    }
  }
  return complaints;
}

Complaints sql_manners(const std::vector<SourceFile>& files) {
  Complaints complaints;
  for (const SourceFile& file : files) {
    if (!is_below(file.path, "storage/sql/")) continue;
    for (const Line& line : lines_of(file)) {
      const std::string sql = lower(squeezed(before(line.text, "--")));
      if (has_any(sql, {"select *", "j.*", "r.*"})) {
        complaints.push_back(complaint(file, line.number, "names no columns"));
      }
      if (has_any(sql,
                  {"'now'", "current_timestamp", "current_time", "current_date", "unixepoch()"})) {
        complaints.push_back(complaint(file, line.number, "asks for the time; it is a parameter"));
      }
      if (has_any(sql, {"?"})) {
        complaints.push_back(complaint(file, line.number, "has a parameter without a name"));
      }
    }
  }
  return complaints;
}

}  // namespace dl::tidy

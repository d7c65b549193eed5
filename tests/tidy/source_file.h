// Reading a source file line by line, and the includes in it.
#pragma once

#include <string>
#include <string_view>
#include <vector>

#include "tests/tidy/rules.h"

namespace dl::tidy {

struct Line {
  int number = 0;
  std::string_view text;
};
std::vector<Line> lines_of(const SourceFile& file);

struct Include {
  int line = 0;
  std::string_view name;  // "daemon/core/limiter.h", "vector"
  bool is_ours = false;   // in quotes
};
std::vector<Include> includes_of(const SourceFile& file);

bool is_cpp(const SourceFile& file);
bool is_below(std::string_view path, std::string_view folder);  // folder: "daemon/core/"
std::string complaint(const SourceFile& file, int line, const std::string& what);

}  // namespace dl::tidy

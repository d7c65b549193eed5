#include "ingest/problem.h"

#include <algorithm>

#include "ingest/hidden_character.h"
#include "ingest/line_reader.h"

namespace dl {

std::string shown(std::string_view value, std::size_t bytes_max) {
  constexpr std::string_view kHex = "0123456789abcdef";
  std::string_view kept = value.substr(0, bytes_max);
  if (kept.size() < value.size()) {  // not in the middle of a character
    while (!kept.empty() && (static_cast<unsigned char>(value[kept.size()]) & 0xC0) == 0x80) {
      kept.remove_suffix(1);
    }
  }
  const bool is_text = is_valid_utf8(kept);
  std::string text;
  for (std::size_t at = 0; at < kept.size(); ++at) {
    const auto byte = static_cast<unsigned char>(kept[at]);
    const HiddenCharacter hidden =
        is_text ? hidden_character_at_front(kept.substr(at)) : HiddenCharacter{};
    if (hidden.length > 0) {
      const bool is_long = hidden.code_point > 0xFFFF;
      text += is_long ? "\\U" : "\\u";
      for (int bits = is_long ? 28 : 12; bits >= 0; bits -= 4)
        text += kHex[(hidden.code_point >> bits) & 15];
      at += hidden.length - 1;
    } else if (byte >= 0x20 && byte != 0x7F && (is_text || byte < 0x80)) {
      text += kept[at];
    } else {
      text += "\\x";
      text += kHex[byte >> 4];
      text += kHex[byte & 15];
    }
  }
  if (kept.size() < value.size()) {
    text += "... (" + std::to_string(value.size()) + " bytes)";
  }
  return text;
}

std::string to_text(const Problem& problem, std::string_view file) {
  constexpr std::size_t kValueShownMax = 80;
  std::string text = shown(file, 4096);
  if (problem.line > 0) text += ":" + std::to_string(problem.line);
  text +=
      ": " + shown(problem.column, kValueShownMax) + ": " + problem.code + ": " + problem.message;
  if (problem.has_value) text += ": \"" + shown(problem.value, kValueShownMax) + "\"";
  if (problem.sheet_row > 0 && problem.sheet_row != problem.line) {
    text += " (row " + std::to_string(problem.sheet_row) + ")";
  }
  return text;
}

std::string counted(std::int64_t count, std::string_view noun) {
  return std::to_string(count) + " " + std::string(noun) + (count == 1 ? "" : "s");
}

void Problems::add(Problem problem) {
  ++count_;
  keep(errors_, std::move(problem));
}

void Problems::warn(Problem problem) { keep(warnings_, std::move(problem)); }

void Problems::keep(std::vector<Problem>& kept, Problem problem) {
  if (kept.size() >= kKept || bytes_ >= kKeptBytes) return;
  bytes_ += problem.value.size() + problem.message.size() + problem.column.size();
  kept.push_back(std::move(problem));
}

void Problems::mark_bad_row(std::int64_t number) {
  const auto row = static_cast<std::uint32_t>(number);
  if (bad_rows_.empty() || bad_rows_.back() != row) bad_rows_.push_back(row);
}

void Problems::mark_bad_rows(std::vector<std::uint32_t> numbers) {
  bad_rows_.insert(bad_rows_.end(), numbers.begin(), numbers.end());
  std::sort(bad_rows_.begin(), bad_rows_.end());
  bad_rows_.erase(std::unique(bad_rows_.begin(), bad_rows_.end()), bad_rows_.end());
}

const std::vector<Problem>& Problems::errors() {
  std::stable_sort(errors_.begin(), errors_.end(),
                   [](const Problem& a, const Problem& b) { return a.line < b.line; });
  return errors_;
}

bool Problems::is_bad_row(std::int64_t number) const {
  return std::binary_search(bad_rows_.begin(), bad_rows_.end(), static_cast<std::uint32_t>(number));
}

}  // namespace dl

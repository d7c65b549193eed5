#include "ingest/row.h"

#include "ingest/csv_rows.h"
#include "ingest/json_rows.h"
#include "ingest/line_reader.h"

namespace dl {
namespace {

std::string_view trimmed(std::string_view text) {
  const std::size_t begin = text.find_first_not_of(" \t\r\n");
  if (begin == std::string_view::npos) return {};
  return text.substr(begin, text.find_last_not_of(" \t\r\n") - begin + 1);
}

// The first that is no white space, or 0. Errors: io; data for UTF-16 and for workbooks.
Result<char> first_character(const InputFile& file) {
  char head[4096] = {};
  Result<std::size_t> got = file.read_at(0, head);
  if (!got) return got.error();
  std::string_view text(head, *got);
  if (text.starts_with("\xFF\xFE") || text.starts_with("\xFE\xFF")) {
    return Error{Errc::data,
                 file.name() + ": file: utf16: is UTF-16; export the sheet as \"CSV UTF-8\""};
  }
  if (text.starts_with("PK\x03\x04")) {
    return Error{Errc::data, file.name() +
                                 ": file: spreadsheet: is a workbook (XLSX, ODS) or an "
                                 "archive; export the sheet as \"CSV UTF-8\""};
  }
  if (text.starts_with("\xEF\xBB\xBF")) text.remove_prefix(3);
  text = trimmed(text);
  return text.empty() ? '\0' : text.front();
}

}  // namespace

std::string_view name_of(InputFormat format) {
  switch (format) {
    case InputFormat::csv: return "csv";
    case InputFormat::json: return "json";
    case InputFormat::jsonl: return "jsonl";
  }
  return "";
}

Result<InputFormat> sniff_format(const InputFile& file) {
  Result<char> first = first_character(file);
  if (!first) return first.error();
  if (*first == '[') return InputFormat::json;
  if (*first != '{') return InputFormat::csv;
  LineReader lines(file, kJsonLineBytesMax);
  bool after_whole_object = false;  // a line that is an object by itself, as far as one can see
  for (;;) {
    Line line;
    Result<bool> more = lines.next(line);
    if (!more) return more.error();
    if (!*more) return InputFormat::json;
    if (line.flaw == LineFlaw::too_long)
      return after_whole_object ? InputFormat::jsonl : InputFormat::json;
    const std::string_view text = trimmed(line.text);
    if (text.empty()) continue;
    if (after_whole_object) return text.front() == '{' ? InputFormat::jsonl : InputFormat::json;
    if (text.back() != '}') return InputFormat::json;
    after_whole_object = true;
  }
}

Result<std::unique_ptr<RowReader>> open_rows(const InputFile& file, InputFormat format,
                                             Problems& problems) {
  switch (format) {
    case InputFormat::csv: return open_csv_rows(file, problems);
    case InputFormat::json: return open_json_rows(file, problems);
    case InputFormat::jsonl: return open_json_lines_rows(file);
  }
  return Error{Errc::software, "an input format without a reader"};
}

}  // namespace dl

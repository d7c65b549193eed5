#include "ingest/sheet_writer.h"

#include <algorithm>
#include <cerrno>
#include <cstring>

#include "ingest/json_reader.h"

namespace dl {

SheetWriter::SheetWriter(std::FILE* stream, std::string name, InputFormat format,
                         CsvDialect dialect, std::vector<std::string> header)
    : stream_(stream),
      name_(std::move(name)),
      format_(format),
      dialect_(dialect),
      header_(std::move(header)) {}

Status SheetWriter::add(const std::vector<std::string_view>& fields) {
  text_.clear();
  if (format_ == InputFormat::csv) {
    if (!any_) append_header();
    append_csv(fields);
  } else {
    begin_object();
    append_json(fields);
    if (format_ == InputFormat::jsonl) text_ += '\n';
  }
  any_ = true;
  return write();
}

Status SheetWriter::add_object(std::string_view json) {
  text_.clear();
  begin_object();
  text_ += json;
  if (format_ == InputFormat::jsonl) text_ += '\n';
  any_ = true;
  return write();
}

void SheetWriter::begin_object() {
  if (format_ == InputFormat::json) text_ += any_ ? ",\n" : "[\n";
}

Status SheetWriter::finish() {
  text_.clear();
  if (format_ == InputFormat::json) text_ = any_ ? "\n]\n" : "[]\n";
  if (format_ == InputFormat::csv && !any_) append_header();
  if (Status ok = write(); !ok) return ok;
  if (std::fflush(stream_) == 0) return Done{};
  return Error{Errc::io, name_ + ": writing: " + std::strerror(errno)};
}

// A name with any delimiter in it is quoted: the delimiter is told by counting them in the header.
void SheetWriter::append_header() {
  if (dialect_.has_mark) text_ += "\xEF\xBB\xBF";
  if (dialect_.names_delimiter) {
    text_.append("sep=").append(1, dialect_.delimiter);
    end_csv_line();
  }
  for (std::size_t i = 0; i < header_.size(); ++i) {
    if (i > 0) text_ += dialect_.delimiter;
    const std::size_t at = header_[i].find_first_of(kCsvDelimiters);
    append_csv_field(text_, header_[i],
                     at == std::string::npos ? dialect_.delimiter : header_[i][at]);
  }
  end_csv_line();
}

void SheetWriter::append_csv(const std::vector<std::string_view>& fields) {
  for (std::size_t i = 0; i < fields.size(); ++i) {
    if (i > 0) text_ += dialect_.delimiter;
    append_csv_field(text_, fields[i], dialect_.delimiter);
  }
  end_csv_line();
}

void SheetWriter::end_csv_line() { text_ += dialect_.ends_with_return ? "\r\n" : "\n"; }

// What is absent stays absent: an ad group without ads must not come back with an ad without an id.
void SheetWriter::append_json(const std::vector<std::string_view>& fields) {
  text_ += '{';
  bool any = false;
  for (std::size_t i = 0; i < fields.size(); ++i) {
    if (fields[i].empty() && !is_result_column(header_[i])) continue;
    if (any) text_ += ',';
    any = true;
    append_json_string(text_, header_[i]);
    text_ += ':';
    append_json_string(text_, fields[i]);
  }
  text_ += '}';
}

Status SheetWriter::write() {
  if (std::fwrite(text_.data(), 1, text_.size(), stream_) == text_.size()) return Done{};
  return Error{Errc::io, name_ + ": writing: " + std::strerror(errno)};
}

std::string defused(std::string_view cell) {
  constexpr std::string_view kStarts[] = {"=", "+", "-", "@", "\t", "\r", "\n",
                                          // as wide ones
                                          "\xEF\xBC\x9D", "\xEF\xBC\x8B", "\xEF\xBC\x8D",
                                          "\xEF\xBC\xA0"};
  const bool is_number = cell.size() > 1 && (cell[0] == '-' || cell[0] == '+') &&
                         cell.find_first_not_of("0123456789", 1) == std::string_view::npos;
  const bool is_dangerous =
      std::any_of(std::begin(kStarts), std::end(kStarts),
                  [&](std::string_view start) { return cell.starts_with(start); });
  return (is_dangerous && !is_number ? "'" : "") + std::string(cell);
}

}  // namespace dl

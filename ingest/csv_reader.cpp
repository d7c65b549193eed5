#include "ingest/csv_reader.h"

#include <csv.h>

#include <algorithm>
#include <cstring>

#include "storage/model/check.h"

namespace dl {
namespace {

int is_never_blank(unsigned char) { return 0; }  // blanks belong to the field (RFC 4180)

CsvFlaw csv_flaw(LineFlaw flaw) {
  switch (flaw) {
    case LineFlaw::none: return CsvFlaw::none;
    case LineFlaw::too_long: return CsvFlaw::too_long;
    case LineFlaw::nul_byte: return CsvFlaw::nul_byte;
    case LineFlaw::bad_utf8: return CsvFlaw::bad_utf8;
  }
  return CsvFlaw::none;
}

bool is_empty(std::string_view field) { return field.empty(); }

}  // namespace

CsvReader::CsvReader(LineReader& lines, char delimiter) : lines_(lines), delimiter_(delimiter) {
  begin_anew();
}

CsvReader::~CsvReader() = default;

void CsvReader::ParserDeleter::operator()(csv_parser* parser) const {
  csv_free(parser);
  delete parser;
}

void CsvReader::begin_anew() {
  parser_.reset(new csv_parser{});
  DL_CHECK(csv_init(parser_.get(), CSV_STRICT | CSV_STRICT_FINI) == 0, "libcsv does not start");
  csv_set_delim(parser_.get(), static_cast<unsigned char>(delimiter_));
  csv_set_space_func(parser_.get(), is_never_blank);
  in_record_ = false;
  text_.clear();
  ends_.clear();
}

CsvReader::Fed CsvReader::feed(std::string_view part) {
  rows_in_line_ = 0;
  const auto on_field = [](void* bytes, std::size_t length, void* self) {
    auto* reader = static_cast<CsvReader*>(self);
    if (length > 0) reader->text_.append(static_cast<const char*>(bytes), length);
    reader->ends_.push_back(reader->text_.size());
  };
  const auto on_row = [](int, void* self) { ++static_cast<CsvReader*>(self)->rows_in_line_; };
  const std::size_t taken =
      csv_parse(parser_.get(), part.data(), part.size(), on_field, on_row, this);
  if (taken < part.size()) return Fed::broken;
  return rows_in_line_ > 0 ? Fed::complete : Fed::unfinished;
}

// Feeds one physical line to libcsv, its end by itself: libcsv ends a record at a lone \r as well,
// and may then be in the middle of the next one.
CsvReader::Fed CsvReader::feed_line(std::string_view line) {
  const std::string_view text = without_end(line);
  if (!in_record_ && text.starts_with('\r')) return Fed::returned;  // libcsv would skip it
  in_record_ = true;
  const Fed fed = feed(text);
  if (rows_in_line_ > 0) return Fed::returned;
  return fed == Fed::broken ? fed : feed(line.substr(text.size()));
}

void CsvReader::split(std::string_view line, CsvRecord& record) const {
  for (;;) {
    const std::size_t end = line.find(delimiter_);
    record.fields.push_back(line.substr(0, end));
    if (end == std::string_view::npos) return;
    line.remove_prefix(end + 1);
  }
}

void CsvReader::collect(CsvRecord& record) {
  std::size_t begin = 0;
  for (const std::size_t end : ends_) {
    record.fields.push_back(std::string_view(text_).substr(begin, end - begin));
    begin = end;
  }
  in_record_ = false;
}

bool CsvReader::give_up(CsvRecord& record, CsvFlaw flaw) {
  const bool has_lines_below = record.last_line > record.line;
  record.flaw = has_lines_below ? CsvFlaw::unclosed_quote : flaw;
  record.fields.clear();
  begin_anew();
  if (has_lines_below) lines_.go_back();
  return true;
}

void CsvReader::split_up(const CsvRecord& record) {
  DL_CHECK(record.flaw == CsvFlaw::none && record.last_line > record.line,
           "a whole record of several lines is split up");
  lines_.go_back();
}

// True when `record` is complete (or broken), false when it goes on with the next line.
bool CsvReader::take_line(const Line& line, CsvRecord& record) {
  const std::string_view text = without_end(line.text);
  if (!in_record_) {
    ++sheet_row_;
    record.line = record.last_line = record_line_ = line.number;
    record.sheet_row = sheet_row_;
    record_bytes_ = 0;
    if (line.flaw == LineFlaw::none && text.find('"') == std::string_view::npos) {
      if (text.find('\r') != std::string_view::npos) {
        return give_up(record, CsvFlaw::stray_return);
      }
      split(text, record);
      return true;
    }
    text_.clear();
    ends_.clear();
  }
  record.line = record_line_;
  record.last_line = line.number;
  record.sheet_row = sheet_row_;
  record_bytes_ += line.text.size();
  if (line.flaw != LineFlaw::none) return give_up(record, csv_flaw(line.flaw));
  if (record_bytes_ > kRecordBytesMax) return give_up(record, CsvFlaw::unclosed_quote);
  const bool is_first = !in_record_;
  switch (feed_line(line.text)) {
    case Fed::unfinished:
      if (is_first) lines_.mark();
      return false;
    case Fed::broken: return give_up(record, CsvFlaw::bad_quotes);
    case Fed::returned: return give_up(record, CsvFlaw::stray_return);
    case Fed::complete: break;
  }
  collect(record);
  return true;
}

// The end of the file: a record without a last line break is complete, one with an open quote is
// not.
bool CsvReader::finish(CsvRecord& record) {
  if (!in_record_) return false;
  const auto on_field = [](void* bytes, std::size_t length, void* self) {
    auto* reader = static_cast<CsvReader*>(self);
    if (length > 0) reader->text_.append(static_cast<const char*>(bytes), length);
    reader->ends_.push_back(reader->text_.size());
  };
  if (csv_fini(
          parser_.get(), on_field, [](int, void*) {}, this) != 0) {
    return give_up(record, CsvFlaw::unclosed_quote);
  }
  collect(record);
  return true;
}

Result<bool> CsvReader::next_of_any_kind(CsvRecord& record) {
  record.fields.clear();
  record.flaw = CsvFlaw::none;
  lines_.forget_mark();
  for (;;) {
    Line line;
    Result<bool> more = lines_.next(line);
    if (!more) return more.error();
    if (!*more) return finish(record);
    if (take_line(line, record)) return true;
  }
}

Result<bool> CsvReader::next(CsvRecord& record) {
  for (;;) {
    Result<bool> more = next_of_any_kind(record);
    if (!more || !*more) return more;
    if (record.flaw != CsvFlaw::none) return true;
    if (!std::all_of(record.fields.begin(), record.fields.end(), is_empty)) return true;
  }
}

std::optional<char> delimiter_named_by(std::string_view first_line) {
  constexpr std::string_view kName = "sep=";
  const std::string_view text = without_end(first_line);
  if (text.size() <= kName.size()) return std::nullopt;
  const bool is_named =
      std::equal(kName.begin(), kName.end(), text.begin(), [](char want, char have) {
        return want == (have >= 'A' && have <= 'Z' ? static_cast<char>(have - 'A' + 'a') : have);
      });
  const char delimiter = text[kName.size()];
  if (!is_named || kCsvDelimiters.find(delimiter) == std::string_view::npos) return std::nullopt;
  if (text.find_first_not_of(delimiter, kName.size()) != std::string_view::npos)
    return std::nullopt;
  return delimiter;
}

char delimiter_of(std::string_view header_line) {
  std::size_t counts[3] = {};
  bool quoted = false;
  for (const char c : header_line) {
    if (c == '"') quoted = !quoted;
    const std::size_t which = kCsvDelimiters.find(c);
    if (!quoted && which != std::string_view::npos) ++counts[which];
  }
  return kCsvDelimiters[static_cast<std::size_t>(std::max_element(counts, counts + 3) - counts)];
}

std::string text_of(const CsvDialect& dialect) {
  std::string text = dialect.delimiter == ';'    ? "semicolon"
                     : dialect.delimiter == '\t' ? "tab"
                                                 : "comma";
  text += dialect.ends_with_return ? " crlf" : " lf";
  if (dialect.has_mark) text += " bom";
  if (dialect.names_delimiter) text += " sep";
  return text;
}

CsvDialect dialect_of(std::string_view text) {
  CsvDialect dialect;
  if (text.starts_with("semicolon")) dialect.delimiter = ';';
  if (text.starts_with("tab")) dialect.delimiter = '\t';
  dialect.ends_with_return = text.find(" crlf") != std::string_view::npos;
  dialect.has_mark = text.find(" bom") != std::string_view::npos;
  dialect.names_delimiter = text.find(" sep") != std::string_view::npos;
  return dialect;
}

void append_csv_field(std::string& out, std::string_view field, char delimiter) {
  const char special[] = {'"', '\n', '\r', delimiter};
  if (field.find_first_of(std::string_view(special, sizeof special)) == std::string_view::npos) {
    out += field;
    return;
  }
  out += '"';
  for (const char c : field) {
    if (c == '"') out += '"';
    out += c;
  }
  out += '"';
}

#define DL_TEXT_OF(x) #x
#define DL_VERSION_OF(major, minor, release) \
  DL_TEXT_OF(major) "." DL_TEXT_OF(minor) "." DL_TEXT_OF(release)
std::string_view csv_library_version() { return DL_VERSION_OF(CSV_MAJOR, CSV_MINOR, CSV_RELEASE); }

}  // namespace dl

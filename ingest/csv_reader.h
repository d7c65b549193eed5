// Records of a CSV file (RFC 4180, strict): quoted fields, doubled quotes, line breaks in quotes,
// \n or \r\n. The only file that includes libcsv, which is fed one physical line at a time so that
// every record knows its first line; lines without a quote are split without it, to the same
// effect. After an error the reader goes on with the physical line below the record's first one: a
// quote that was left open takes no other row with it. Thread rule: one thread. Ownership: borrows
// the LineReader.
#pragma once

#include <cstdint>
#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "ingest/line_reader.h"

struct csv_parser;

namespace dl {

// How a CSV file is written, so that a sheet goes back to its owner as it came.
struct CsvDialect {
  char delimiter = ',';
  bool ends_with_return = false;  // lines end with \r\n
  bool has_mark = false;          // begins with a byte order mark, which Excel needs to see UTF-8
  bool names_delimiter = false;   // its first line says sep=; to Excel
};
// "semicolon crlf bom sep", and back.
std::string text_of(const CsvDialect& dialect);
CsvDialect dialect_of(std::string_view text);

inline constexpr std::size_t kRecordBytesMax = 1024 * 1024;

enum class CsvFlaw {
  none,
  nul_byte,
  bad_utf8,
  too_long,    // a line over kRecordBytesMax
  bad_quotes,  // a quote inside an unquoted field, or text after a closing quote
  // the record begins with this line, and what follows is no end of it: up to the end of the file,
  // over kRecordBytesMax, or where another flaw is
  unclosed_quote,
  stray_return,  // \r without \n
};

struct CsvRecord {
  std::int64_t line = 0;       // physical line where it begins
  std::int64_t last_line = 0;  // and where it ends
  std::int64_t sheet_row = 0;  // as a spreadsheet counts: records and blank lines, 1 = first
  CsvFlaw flaw = CsvFlaw::none;
  std::vector<std::string_view> fields;  // valid until the next call; empty where flaw is set
};

class CsvReader {
 public:
  CsvReader(LineReader& lines, char delimiter);
  ~CsvReader();
  CsvReader(const CsvReader&) = delete;
  CsvReader& operator=(const CsvReader&) = delete;

  // The next record; blank lines, and records of nothing but delimiters, are passed over. False at
  // the end. Errors: io.
  Result<bool> next(CsvRecord& record);

  // The record given last had several lines, and should not have had: those below the first come
  // again.
  void split_up(const CsvRecord& record);

 private:
  struct ParserDeleter {
    void operator()(csv_parser* parser) const;
  };

  enum class Fed { complete, unfinished, broken, returned };
  Fed feed(std::string_view part);
  Fed feed_line(std::string_view line);
  void split(std::string_view line, CsvRecord& record) const;
  void collect(CsvRecord& record);
  bool give_up(CsvRecord& record, CsvFlaw flaw);
  Result<bool> next_of_any_kind(CsvRecord& record);
  bool take_line(const Line& line, CsvRecord& record);
  bool finish(CsvRecord& record);
  void begin_anew();

  LineReader& lines_;
  char delimiter_;
  std::unique_ptr<csv_parser, ParserDeleter> parser_;
  std::string text_;               // of the fields of the record that libcsv is in
  std::vector<std::size_t> ends_;  // of each field in text_
  int rows_in_line_ = 0;
  bool in_record_ = false;        // libcsv is in the middle of a record
  std::int64_t record_line_ = 0;  // where it began
  std::size_t record_bytes_ = 0;
  std::int64_t sheet_row_ = 0;
};

inline constexpr std::string_view kCsvDelimiters = ",;\t";

// The delimiter that a first line names which is no row, for Excel alone: sep=; (also where
// somebody saved it as a row, with more delimiters behind it).
std::optional<char> delimiter_named_by(std::string_view first_line);

// The delimiter of a header line: the most frequent of , ; and tab outside quotes.
char delimiter_of(std::string_view header_line);

// `field` as it must stand in a CSV file: quoted where needed.
void append_csv_field(std::string& out, std::string_view field, char delimiter);

std::string_view csv_library_version();

}  // namespace dl

#include "ingest/csv_rows.h"

#include <algorithm>
#include <optional>

#include "ingest/csv_reader.h"
#include "storage/model/check.h"

namespace dl {
namespace {

struct CsvWords {
  std::string_view code;
  std::string_view message;
};

CsvWords words_of(CsvFlaw flaw) {
  switch (flaw) {
    case CsvFlaw::none: break;
    case CsvFlaw::nul_byte:
      return {"nul_byte", "contains a NUL byte; this is not a text file, or it is damaged"};
    case CsvFlaw::bad_utf8: return {"bad_utf8", "is not UTF-8; export the sheet as \"CSV UTF-8\""};
    case CsvFlaw::too_long: return {"record_too_long", "is longer than 1 MiB"};
    case CsvFlaw::bad_quotes:
      return {"bad_quotes",
              "has a quote where none may stand; quote the whole field and double the "
              "quotes in it: \"a \"\"b\"\" c\""};
    case CsvFlaw::unclosed_quote:
      return {"unclosed_quote",
              "opens a quote that is not closed, or only in a row below; the rows below were read "
              "by themselves"};
    case CsvFlaw::stray_return:
      return {"stray_return",
              "has a carriage return without a line feed; save the file with line "
              "ends of Windows or Unix"};
  }
  return {"", ""};
}

std::size_t fields_in(std::string_view text, char delimiter) {
  return static_cast<std::size_t>(std::count(text.begin(), text.end(), delimiter)) + 1;
}

// Has this cell, with `ours_before` of our columns in front of it, whole rows in it? Then a line in
// its middle has as many fields as we have columns, or its first line is the rest of one row and
// its last line the beginning of another.
bool has_rows_in_it(std::string_view cell, std::size_t ours_before, char delimiter) {
  std::size_t end = cell.find('\n');
  if (end == std::string_view::npos) return false;
  const bool ends_a_row = fields_in(cell.substr(0, end), delimiter) >= kColumnCount - ours_before;
  for (;;) {
    cell.remove_prefix(end + 1);
    end = cell.find('\n');
    const std::size_t fields = fields_in(cell.substr(0, end), delimiter);
    if (end == std::string_view::npos) return ends_a_row && fields > ours_before;
    if (fields >= kColumnCount) return true;
  }
}

class CsvRows final : public RowReader {
 public:
  explicit CsvRows(const InputFile& file)
      : lines_(file, kRecordBytesMax), first_line_(file, kRecordBytesMax) {}

  Status read_header(Problems& problems);

  Result<bool> next(Row& row, Problems& problems) override;
  ValuePlace place_of(const Row& row, Column column) const override {
    return {row.line, names_[column_at_[index_of(column)]]};
  }
  const std::vector<std::string>& header() const override { return header_; }
  const std::vector<std::string_view>& fields() const override { return fields_; }
  std::string dialect() const override { return text_of(dialect_); }
  std::int64_t bytes_read() const override { return lines_.bytes_read(); }
  Result<std::string> sha256_hex() override { return lines_.sha256_hex(); }

 private:
  Status find_dialect();
  void take_names(Problems& problems);
  void take_name(std::size_t at, std::array<bool, kColumnCount>& seen, Problems& problems);
  bool take_record(Row& row, Problems& problems);
  void report_field_count(Problems& problems) const;
  bool has_swallowed_rows() const;
  void report(const char* column, std::string code, std::string message, Problems& problems) const;

  LineReader lines_;
  LineReader first_line_;  // a second look at the beginning, to find the delimiter
  CsvDialect dialect_;
  std::optional<CsvReader> reader_;
  CsvRecord record_;
  std::vector<std::string> names_;                       // all columns of the file
  std::array<std::size_t, kColumnCount> column_at_{};    // where our columns stand in a record
  std::optional<std::size_t> state_at_;                  // the same of the row's state
  std::array<std::optional<std::size_t>, 3> dsp_id_at_;  // and of the DSP's ids, by kind
  // of each column of the file: our columns in front of it
  std::vector<std::size_t> ours_before_;
  std::vector<std::size_t> user_at_;  // where the user's columns stand
  std::vector<std::string> header_;
  std::vector<std::string_view> fields_;
  std::int64_t number_ = 0;
  bool usable_ = false;
};

void CsvRows::report(const char* column, std::string code, std::string message,
                     Problems& problems) const {
  Problem problem;
  problem.line = record_.line;
  problem.sheet_row = record_.sheet_row;
  problem.column = column;
  problem.code = std::move(code);
  problem.message = std::move(message);
  problems.add(std::move(problem));
}

// By the first line, if it names the delimiter, and the first line below that is not blank.
Status CsvRows::find_dialect() {
  Line line;
  std::optional<char> named;
  bool any = true;
  bool is_passed_over = true;
  while (any && is_passed_over) {
    Result<bool> more = first_line_.next(line);
    if (!more) return more.error();
    any = *more;
    if (!any) line = Line{};
    if (line.number == 1) named = delimiter_named_by(line.text);
    is_passed_over = line.flaw == LineFlaw::none &&
                     (without_end(line.text).empty() || (named && line.number == 1));
  }
  dialect_ = {named.value_or(delimiter_of(line.text)), line.text.ends_with("\r\n"),
              first_line_.has_mark(), named.has_value()};
  if (!named) return Done{};
  Result<bool> passed = lines_.next(line);  // it is no row; the lines below it keep their numbers
  return passed ? Status(Done{}) : Status(passed.error());
}

Status CsvRows::read_header(Problems& problems) {
  if (Status ok = find_dialect(); !ok) return ok;
  reader_.emplace(lines_, dialect_.delimiter);
  Result<bool> more = reader_->next(record_);
  if (!more) return more.error();
  if (!*more) {
    problems.add({0, 0, "file", "empty_file", "there is nothing in it", "", false});
  } else if (record_.flaw != CsvFlaw::none) {
    const CsvWords words = words_of(record_.flaw);
    report("header", std::string(words.code), std::string(words.message), problems);
  } else if (record_.fields.size() > kColumnsMax) {
    report("header", "too_many_columns",
           std::to_string(record_.fields.size()) + " columns; at most " +
               std::to_string(kColumnsMax) + " are possible",
           problems);
  } else {
    take_names(problems);
  }
  return Done{};
}

void CsvRows::take_names(Problems& problems) {
  const std::int64_t before = problems.count();
  names_.assign(record_.fields.begin(), record_.fields.end());
  std::array<bool, kColumnCount> seen{};
  for (std::size_t at = 0; at < names_.size(); ++at) {
    ours_before_.push_back(static_cast<std::size_t>(std::count(seen.begin(), seen.end(), true)));
    take_name(at, seen, problems);
  }
  for (const ColumnRule& rule : kColumns) {
    if (seen[index_of(rule.column)]) continue;
    report(rule.name.data(), "missing_column",
           "the header has no such column; dl-ingest template prints one that has all", problems);
  }
  usable_ = problems.count() == before;
}

void CsvRows::take_name(std::size_t at, std::array<bool, kColumnCount>& seen, Problems& problems) {
  const std::string& name = names_[at];
  if (is_state_column(name)) state_at_ = at;
  if (const std::optional<JobKind> kind = dsp_id_column_named(name))
    dsp_id_at_[static_cast<std::size_t>(*kind)] = at;
  if (is_result_column(name)) return;
  user_at_.push_back(at);
  header_.push_back(name);
  const std::optional<Column> column = column_named(name);
  if (!column) {
    Problem remark{record_.line,
                   record_.sheet_row,
                   "header",
                   "unknown_column",
                   "this column is not used",
                   name,
                   true};
    if (!name.empty()) problems.warn(std::move(remark));
    return;
  }
  const std::size_t index = index_of(*column);
  if (seen[index]) {
    report(rule_of(*column).name.data(), "repeated_column",
           "columns " + std::to_string(column_at_[index] + 1) + " and " + std::to_string(at + 1) +
               " of the header are both this one",
           problems);
    return;
  }
  seen[index] = true;
  column_at_[index] = at;
}

Result<bool> CsvRows::next(Row& row, Problems& problems) {
  while (usable_) {
    Result<bool> more = reader_->next(record_);
    if (!more || !*more) return more;
    ++number_;
    if (take_record(row, problems)) return true;
    problems.mark_bad_row(number_);
  }
  return false;
}

void CsvRows::report_field_count(Problems& problems) const {
  std::string message = counted(static_cast<std::int64_t>(record_.fields.size()), "field");
  if (record_.last_line > record_.line)
    message += " up to line " + std::to_string(record_.last_line);
  message += " where the header has " + std::to_string(names_.size());
  if (record_.last_line > record_.line) {
    message += "; look whether a quote was left open; the rows below were read by themselves";
  } else if (record_.fields.size() < names_.size()) {
    message +=
        "; empty cells at the end need their delimiters, too; or a field with a line break in it "
        "needs quotes around it";
  } else {
    message +=
        "; take away empty cells at the end; or a field with a delimiter in it needs quotes around "
        "it";
  }
  report("row", "field_count", std::move(message), problems);
}

bool CsvRows::has_swallowed_rows() const {
  for (std::size_t at = 0; at < names_.size(); ++at) {
    if (has_rows_in_it(record_.fields[at], ours_before_[at], dialect_.delimiter)) return true;
  }
  return false;
}

bool CsvRows::take_record(Row& row, Problems& problems) {
  const bool has_lines_below = record_.flaw == CsvFlaw::none && record_.last_line > record_.line;
  if (has_lines_below && record_.fields.size() == names_.size() && has_swallowed_rows()) {
    reader_->split_up(record_);
    record_.flaw = CsvFlaw::unclosed_quote;
  }
  if (record_.flaw != CsvFlaw::none) {
    const CsvWords words = words_of(record_.flaw);
    report("row", std::string(words.code), std::string(words.message), problems);
    return false;
  }
  if (record_.fields.size() != names_.size()) {
    report_field_count(problems);
    if (has_lines_below) reader_->split_up(record_);
    return false;
  }
  row.number = number_;
  row.line = record_.line;
  row.sheet_row = record_.sheet_row;
  row.deepest = JobKind::ad;
  for (std::size_t i = 0; i < kColumnCount; ++i) row.values[i] = record_.fields[column_at_[i]];
  const auto field_at = [&](std::optional<std::size_t> at) {
    return at ? std::string_view(record_.fields[*at]) : std::string_view();
  };
  row.state = field_at(state_at_);
  for (std::size_t level = 0; level < dsp_id_at_.size(); ++level)
    row.dsp_ids[level] = field_at(dsp_id_at_[level]);
  fields_.clear();
  for (const std::size_t at : user_at_) fields_.push_back(record_.fields[at]);
  return true;
}

}  // namespace

Result<std::unique_ptr<RowReader>> open_csv_rows(const InputFile& file, Problems& problems) {
  auto rows = std::make_unique<CsvRows>(file);
  if (Status ok = rows->read_header(problems); !ok) return ok.error();
  return std::unique_ptr<RowReader>(std::move(rows));
}

}  // namespace dl

#include "tests/fuzz/sheet_properties.h"

#include <algorithm>
#include <cstdio>
#include <cstdlib>
#include <map>
#include <optional>
#include <string>
#include <vector>

#include "ingest/body.h"
#include "ingest/decimal_sign.h"
#include "ingest/json_reader.h"
#include "ingest/line_reader.h"
#include "ingest/sheet_writer.h"
#include "ingest/survey.h"
#include "ingest/values.h"
#include "storage/model/check.h"

namespace dl::fuzz {
namespace {

constexpr std::size_t kWrittenBytesMax = 1024 * 1024;  // nested JSON can unroll to far more

struct GivenRow {
  std::vector<std::string> fields;
  JobKind deepest = JobKind::ad;
  std::string refused;  // what of it the reader has refused
  // the first row of the object it stands in, which is given back as a whole; 0: it is not
  std::int64_t object = 0;

  bool operator==(const GivenRow& other) const {
    return fields == other.fields && deepest == other.deepest && refused == other.refused &&
           (object > 0) == (other.object > 0);
  }
};

// All that a second pass over an input saw.
struct Pass {
  std::vector<GivenRow> given;  // the rows that could be read
  // by their first row, those that are given back as a whole
  std::map<std::int64_t, std::string> objects;
  std::vector<std::vector<std::string>> accepted;  // … of those that are to be loaded
  std::vector<std::string> entities;               // keys and bodies of what is to be loaded
  std::vector<std::string> header;
  CsvDialect dialect;
  std::size_t bytes = 0;
};

InputFile file_of(std::string_view bytes) {
  Result<InputFile> file = InputFile::from_text("sheet", bytes);
  DL_CHECK(file, "a text can be opened");
  return std::move(*file);
}

Survey survey_of(const InputFile& file, InputFormat format) {
  Result<Survey> found = survey(file, format, OnError::skip_row, [](const SurveySoFar&) {});
  DL_CHECK(found, "reading fails only where the disk does");
  return std::move(*found);
}

bool is_printable(std::string_view text) {
  return is_valid_utf8(text) && std::none_of(text.begin(), text.end(), [](char c) {
           return static_cast<unsigned char>(c) < 0x20 || c == 0x7F;
         });
}

bool is_code(std::string_view text) {
  return !text.empty() &&
         text.find_first_not_of("abcdefghijklmnopqrstuvwxyz_0123456789") == std::string_view::npos;
}

void check_problem(const Problem& problem, std::int64_t lines) {
  const bool of_the_file = problem.line == 0 && problem.column == "file";
  DL_CHECK(of_the_file || (problem.line >= 1 && problem.line <= lines), "a problem has its line");
  DL_CHECK(is_code(problem.code), "a problem has its code");
  DL_CHECK(!problem.message.empty() && !problem.column.empty(), "a problem has its words");
  DL_CHECK(is_printable(to_text(problem, "sheet")), "a problem is one printable line");
}

void check_problems(Survey& found, std::string_view bytes) {
  const auto lines = std::count(bytes.begin(), bytes.end(), '\n') + 1;
  for (const Problem& problem : found.problems.errors()) check_problem(problem, lines);
  for (const Problem& problem : found.problems.warnings()) check_problem(problem, lines);
  DL_CHECK(found.rows > 0 || !found.problems.empty(), "nothing to load is said");
}

void check_entity(const KindNames& names, const Row& row, const Entity& entity,
                  const std::string& parent_key) {
  DL_CHECK(entity.valid && !entity.key.empty(), "what is loaded is valid");
  DL_CHECK(!read_json(entity.body, 1, [](const JsonToken&) {}), "a body is JSON");
  DL_CHECK(entity.body.starts_with("{\"id\":"), "a body begins with its id");
  RowValues back;
  read_body(names.kind, entity.body, back);
  std::vector<std::string_view> values;
  for (const ColumnRule& rule : columns_of(names.kind)) {
    std::string scratch;
    const CheckedValue checked = check_value(rule.rule, row[rule.column], scratch);
    const std::string& value = back[index_of(rule.column)];
    DL_CHECK(checked.flaw == Flaw::none && checked.text == value, "a body gives its values back");
    DL_CHECK(entity.altered[index_of(rule.column)] || value == row[rule.column],
             "… and to the byte if not altered");
    values.push_back(value);
  }
  std::string again;
  render_body(names.kind, values, again);
  DL_CHECK(again == entity.body, "a body can be rendered again");
  const std::vector<std::string> path = job_path(entity.key);
  DL_CHECK(path.size() == static_cast<std::size_t>(names.kind) + 1 && path.back() == values[0],
           "a key gives the ids back");
  DL_CHECK(parent_key.empty() || entity.key.starts_with(parent_key + "/"), "a key is hierarchical");
}

void take_accepted(const Row& row, const RowEntities& entities, Pass& pass) {
  std::string parent_key;
  for (const KindNames& names : kKinds) {
    if (names.kind > entities.deepest()) break;
    const Entity& entity = entities[names.kind];
    check_entity(names, row, entity, parent_key);
    pass.entities.push_back(entity.key + ' ' + entity.body);
    parent_key = entity.key;
  }
  pass.accepted.push_back(pass.given.back().fields);
}

void take_given(const Row& row, const RowReader& reader, Pass& pass) {
  GivenRow& given = pass.given.emplace_back();
  given.fields.assign(reader.fields().begin(), reader.fields().end());
  given.deepest = row.deepest;
  given.refused = row.refused.to_string() + (row.is_refused ? "1" : "0");
  DL_CHECK(given.fields.size() == pass.header.size(), "each column of a row has its field");
  for (const std::string& field : given.fields) pass.bytes += field.size();
  const std::optional<RefusedObject> object = reader.refused_object();
  DL_CHECK(object || given.refused.find('1') == std::string::npos,
           "what is refused is given back as a whole");
  if (!object) return;
  DL_CHECK(object->first_row <= row.number && row.number <= object->last_row,
           "an object has the rows that stand in it");
  given.object = object->first_row;
  std::string& text = pass.objects[object->first_row];
  if (text.empty()) pass.bytes += (text = with_error(object->text, "some error")).size();
}

Pass second_pass(const InputFile& file, const Survey& found) {
  Pass pass;
  Problems ignored;
  Result<std::unique_ptr<RowReader>> opened = open_rows(file, found.format, ignored);
  DL_CHECK(opened, "an input opens twice");
  RowReader& reader = **opened;
  pass.header = reader.header();
  pass.dialect = dialect_of(reader.dialect());
  if (found.format != InputFormat::csv) {
    for (const ColumnRule& rule : kColumns) pass.header.emplace_back(rule.name);
  }
  Row row;
  RowEntities entities;
  while (*reader.next(row, ignored)) {
    take_given(row, reader, pass);
    const bool good = entities.take(row, reader, ignored);
    const bool left_out = found.leaves_out(OnError::skip_row, row.number, entities);
    DL_CHECK(good || left_out, "a row of the survey's liking is valid in the second pass");
    DL_CHECK(!left_out || found.leaves_out(OnError::skip_subtree, row.number, entities),
             "what is left out alone is left out with its tree");
    if (!left_out) take_accepted(row, entities, pass);
  }
  return pass;
}

// What `write` gives to a sheet with these columns.
template <typename Write>
std::string written(std::vector<std::string> header, const Pass& pass, InputFormat format,
                    const Write& write) {
  char* text = nullptr;
  std::size_t size = 0;
  std::FILE* stream = open_memstream(&text, &size);
  DL_CHECK(stream != nullptr, "there is memory for a stream");
  SheetWriter sheet(stream, "memory", format, pass.dialect, std::move(header));
  write(sheet);
  DL_CHECK(sheet.finish(), "writing to memory works");
  std::fclose(stream);
  std::string copy(text, size);
  std::free(text);
  return copy;
}

// All rows as `errors` gives them: what is left out may have been the proof of a decimal point.
std::string errors_of(const Pass& pass, InputFormat format) {
  return written(pass.header, pass, format, [&](SheetWriter& sheet) {
    for (std::vector<std::string> row : pass.accepted) {
      for (std::size_t at = 0; at < row.size(); ++at) {
        const std::optional<Column> column = column_named(pass.header[at]);
        const bool is_money = column && rule_of(*column).rule == ValueRule::money;
        if (is_money) row[at] = unambiguous(row[at]);
      }
      DL_CHECK(sheet.add({row.begin(), row.end()}), "writing to memory works");
    }
  });
}

// All rows as `--rejects` gives them.
std::string rejects_of(const Pass& pass, InputFormat format) {
  std::vector<std::string> header = pass.header;
  header.emplace_back("dl_error");
  return written(std::move(header), pass, format, [&](SheetWriter& sheet) {
    std::int64_t object = 0;
    for (const GivenRow& row : pass.given) {
      std::vector<std::string_view> fields(row.fields.begin(), row.fields.end());
      fields.emplace_back("some error");
      if (row.object == 0) DL_CHECK(sheet.add(fields), "writing to memory works");
      if (row.object > object)
        DL_CHECK(sheet.add_object(pass.objects.at(row.object)), "writing to memory works");
      object = row.object;
    }
  });
}

}  // namespace

void check_sheet(std::string_view bytes, InputFormat format) {
  const InputFile file = file_of(bytes);
  Survey found = survey_of(file, format);
  check_problems(found, bytes);
  const Pass pass = second_pass(file, found);
  DL_CHECK(!found.problems.empty() || pass.accepted.size() == static_cast<std::size_t>(found.rows),
           "without an error every row is loaded");
  DL_CHECK(found.loadable || pass.accepted.empty() || !found.problems.empty(),
           "a good sheet loads");
  if (pass.given.empty() || pass.bytes > kWrittenBytesMax) return;

  const InputFormat out = format == InputFormat::csv ? InputFormat::csv : InputFormat::jsonl;
  const InputFile rejects = file_of(rejects_of(pass, out));
  DL_CHECK(second_pass(rejects, survey_of(rejects, out)).given == pass.given,
           "rows with an error are read back as they were, with what is refused of them");
  if (pass.accepted.empty()) return;
  const InputFile errors = file_of(errors_of(pass, out));
  Survey again = survey_of(errors, out);
  DL_CHECK(again.problems.empty(), "what was accepted once is accepted again");
  const Pass second = second_pass(errors, again);
  DL_CHECK(errors_of(second, out) == errors_of(pass, out) && second.entities == pass.entities,
           "what was accepted is read back the same");
}

}  // namespace dl::fuzz

#include "ingest/rejects.h"

namespace dl {

Rejects::Rejects(std::optional<std::string> path, Survey& survey)
    : path_(std::move(path)),
      format_(survey.format == InputFormat::csv ? InputFormat::csv : InputFormat::jsonl),
      has_results_(survey.has_results) {
  if (!path_) return;
  for (const Problem& problem : survey.problems.errors()) {
    if (problem.row == 0) continue;
    std::string& text = errors_[problem.row];
    if (!text.empty()) text += "; ";
    text += problem.column + ": " + problem.code + ": " + problem.message;
  }
}

Status Rejects::open(const RowReader& reader) {
  Result<std::unique_ptr<NewFile>> file = NewFile::create(*path_);
  if (!file) return file.error();
  file_ = std::move(*file);
  std::vector<std::string> header = reader.header();
  if (header.empty()) {
    for (const ColumnRule& rule : kColumns) header.emplace_back(rule.name);
  }
  if (has_results_) {
    header.emplace_back(kStateColumn);
    header.insert(header.end(), kDspIdColumns.begin(), kDspIdColumns.end());
  }
  header.emplace_back("dl_error");
  sheet_ = std::make_unique<SheetWriter>(file_->stream(), *path_, format_,
                                         dialect_of(reader.dialect()), std::move(header));
  return Done{};
}

Status Rejects::add(const Row& row, const RowReader& reader) {
  ++count_;
  if (!path_) return Done{};
  if (file_ == nullptr) {
    if (Status ok = open(reader); !ok) return ok;
  }
  if (row.number <= last_row_written_) return Done{};
  if (const auto object = reader.refused_object()) return add_object(*object);
  const std::string error = errors_of(row.number, row.number);
  std::vector<std::string_view> fields = reader.fields();
  if (has_results_) {
    fields.push_back(row.state);
    fields.insert(fields.end(), row.dsp_ids.begin(), row.dsp_ids.end());
  }
  fields.push_back(error);
  return sheet_->add(fields);
}

Status Rejects::add_object(const RefusedObject& object) {
  last_row_written_ = object.last_row;
  return sheet_->add_object(with_error(object.text, errors_of(object.first_row, object.last_row)));
}

std::string Rejects::errors_of(std::int64_t first_row, std::int64_t last_row) const {
  constexpr std::size_t kEnough = 4096;  // bytes, for a person
  std::string text;
  for (auto at = errors_.lower_bound(first_row); at != errors_.end() && at->first <= last_row;
       ++at) {
    if (text.size() > kEnough) return text + "; and more";
    if (!text.empty()) text += "; ";
    text += at->second;
  }
  return text.empty() ? "left out with its campaign or ad group" : text;
}

Status Rejects::finish() {
  if (file_ == nullptr) return Done{};
  if (Status ok = sheet_->finish(); !ok) return ok;
  return file_->publish();
}

void Rejects::keep() {
  if (file_ != nullptr) file_->keep();
}

}  // namespace dl

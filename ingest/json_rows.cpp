#include "ingest/json_rows.h"

#include <algorithm>

#include "ingest/json_tree.h"
#include "ingest/line_reader.h"
#include "storage/digest.h"

namespace dl {
namespace {

// Unrolls the documents that a source of text gives.
class JsonRows : public RowReader {
 public:
  Result<bool> next(Row& row, Problems& problems) final {
    for (;;) {
      if (at_ < chains_.size()) {
        ++number_;
        take_chain(row);
        ++at_;
        return true;
      }
      // Elements that are no objects are bad rows, too, and come last: their number is known at the
      // end.
      for (; bad_elements_ > 0; --bad_elements_) problems.mark_bad_row(++number_);
      Result<bool> more = next_document(problems);
      if (!more || !*more) return more;
    }
  }

  ValuePlace place_of(const Row& row, Column column) const final {
    const ColumnRule& rule = rule_of(column);
    const std::size_t at = chain_[static_cast<std::size_t>(rule.kind)];
    if (at == JsonTree::kNone) return {row.line, std::string(rule.name)};
    const JsonTree::Node& node = tree_.nodes()[at];
    const auto slot = static_cast<std::size_t>(&rule - columns_of(rule.kind).data());
    const std::int64_t line = node.values[slot].line;
    return {line > 0 ? line : node.line, tree_.path_of(at, rule)};
  }
  std::optional<RefusedObject> refused_object() const final {
    const std::vector<std::size_t>& roots = tree_.roots();
    const JsonTree::Node& root = tree_.nodes()[roots[root_]];
    if (!root.is_more_than_rows) return std::nullopt;
    const bool is_last = root_ + 1 == roots.size();
    const std::int64_t last_row =
        is_last ? tree_.last_row() : tree_.nodes()[roots[root_ + 1]].first_row - 1;
    return RefusedObject{tree_.object_text(document_, root_), root.first_row, last_row};
  }
  const std::vector<std::string>& header() const final { return header_; }
  const std::vector<std::string_view>& fields() const final { return fields_; }
  std::string dialect() const final { return {}; }

 protected:
  // Reads the next document into the tree by read_document, whose text stays until the next call.
  // False at the end.
  virtual Result<bool> next_document(Problems& problems) = 0;

  void read_document(std::string_view text, std::int64_t first_line, Problems& problems) {
    chains_.clear();
    at_ = 0;
    document_ = text;
    tree_.read(text, first_line, number_, problems);
    for (const std::size_t root : tree_.roots())
      unroll({root, JsonTree::kNone, JsonTree::kNone}, 0);
    bad_elements_ = tree_.bad_elements();
    if (!tree_.roots().empty() || bad_elements_ > 0) return;
    skip_document(problems);
    // no later row has the number of one that a problem names
    number_ = std::max(number_, tree_.last_row());
  }
  // A document without rows counts as one bad row.
  void skip_document(Problems& problems) { problems.mark_bad_row(++number_); }

 private:
  using Chain = std::array<std::size_t, 3>;  // nodes: campaign, ad group, ad

  void unroll(Chain chain, std::size_t level) {
    const std::vector<std::size_t>& children = tree_.nodes()[chain[level]].children;
    if (children.empty()) chains_.push_back(chain);
    for (const std::size_t child : children) {
      chain[level + 1] = child;
      unroll(chain, level + 1);
    }
  }

  void take_chain(Row& row) {
    row = Row{};
    row.number = number_;
    if (at_ == 0) root_ = 0;
    if (at_ > 0 && chains_[at_ - 1][0] != chains_[at_][0]) ++root_;
    chain_ = chains_[at_];
    row.state = tree_.text_of(tree_.nodes()[chain_[0]].state);
    if (at_ > 0 && chains_[at_ - 1][0] == chain_[0]) {
      row.first_new = chains_[at_ - 1][1] == chain_[1] ? JobKind::ad : JobKind::ad_group;
    }
    for (const std::size_t at : chain_) {
      if (at == JsonTree::kNone) break;
      const JsonTree::Node& node = tree_.nodes()[at];
      row.is_refused = row.is_refused || node.is_refused;
      row.deepest = node.kind;
      if (node.origin == JsonTree::Origin::nested) row.line = node.line;
      row.dsp_ids[static_cast<std::size_t>(node.kind)] = tree_.text_of(node.dsp_id);
      for (const ColumnRule& rule : columns_of(node.kind)) {
        const auto slot = static_cast<std::size_t>(&rule - columns_of(node.kind).data());
        row.values[index_of(rule.column)] = tree_.text_of(node.values[slot]);
        row.refused[index_of(rule.column)] = node.values[slot].is_refused;
        row.numbers[index_of(rule.column)] = node.values[slot].is_number;
      }
    }
    fields_.assign(row.values.begin(), row.values.end());
  }

  JsonTree tree_;
  std::string_view document_;
  std::int64_t bad_elements_ = 0;  // of the document, not marked yet
  std::vector<Chain> chains_;
  std::size_t at_ = 0;
  Chain chain_{};
  std::size_t root_ = 0;  // that the chain begins at, among the tree's
  std::int64_t number_ = 0;
  const std::vector<std::string> header_{};
  std::vector<std::string_view> fields_;
};

class JsonFileRows final : public JsonRows {
 public:
  explicit JsonFileRows(const InputFile& file) : file_(file) {}

  std::int64_t bytes_read() const override { return static_cast<std::int64_t>(text_.size()); }
  Result<std::string> sha256_hex() override { return hex(sha256(text_)); }

  Status load(Problems& problems) {
    if (file_.size_bytes() > kJsonFileBytesMax) {
      problems.add({0, 0, "file", "file_too_long",
                    "a JSON document has at most 32 MiB; write JSON Lines, a campaign on each line",
                    "", false});
      done_ = true;
      return Done{};
    }
    text_.resize(static_cast<std::size_t>(file_.size_bytes()) + 1);  // one more, to notice growth
    Result<std::size_t> got = file_.read_at(0, text_);
    if (!got) return got.error();
    text_.resize(*got);
    return Done{};
  }

 private:
  Result<bool> next_document(Problems& problems) override {
    if (done_) return false;
    done_ = true;
    std::string_view text = text_;
    if (text.starts_with("\xEF\xBB\xBF")) text.remove_prefix(3);
    read_document(text, 1, problems);
    return true;
  }

  const InputFile& file_;
  std::string text_;
  bool done_ = false;
};

class JsonLinesRows final : public JsonRows {
 public:
  explicit JsonLinesRows(const InputFile& file) : lines_(file, kJsonLineBytesMax) {}

  std::int64_t bytes_read() const override { return lines_.bytes_read(); }
  Result<std::string> sha256_hex() override { return lines_.sha256_hex(); }

 private:
  Result<bool> next_document(Problems& problems) override {
    Line line;
    do {
      Result<bool> more = lines_.next(line);
      if (!more || !*more) return more;
    } while (line.flaw == LineFlaw::none &&
             line.text.find_first_not_of(" \t\r\n") == std::string_view::npos);
    if (line.flaw == LineFlaw::none || line.flaw == LineFlaw::nul_byte) {
      read_document(line.text, line.number, problems);
      return true;
    }
    const bool too_long = line.flaw == LineFlaw::too_long;
    problems.add({line.number, 0, "row", too_long ? "record_too_long" : "bad_utf8",
                  too_long ? "is longer than 16 MiB" : "is not UTF-8", "", false});
    skip_document(problems);
    return true;
  }

  LineReader lines_;
};

}  // namespace

Result<std::unique_ptr<RowReader>> open_json_rows(const InputFile& file, Problems& problems) {
  auto rows = std::make_unique<JsonFileRows>(file);
  if (Status ok = rows->load(problems); !ok) return ok.error();
  return std::unique_ptr<RowReader>(std::move(rows));
}

Result<std::unique_ptr<RowReader>> open_json_lines_rows(const InputFile& file) {
  return std::unique_ptr<RowReader>(std::make_unique<JsonLinesRows>(file));
}

}  // namespace dl

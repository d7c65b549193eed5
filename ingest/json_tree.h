// One JSON document as a tree of campaigns, ad groups and ads, with the line of every value. A flat
// object with the sheet's column names is a campaign with one ad group with one ad.
// Pure; callable from any thread.
#pragma once

#include <array>
#include <cstdint>
#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <unordered_map>
#include <unordered_set>
#include <vector>

#include "ingest/columns.h"
#include "ingest/json_objects.h"
#include "ingest/json_reader.h"
#include "ingest/problem.h"

namespace dl {

class JsonTree {
 public:
  static constexpr std::size_t kNone = static_cast<std::size_t>(-1);

  struct Value {
    std::size_t offset = 0;  // in texts
    std::size_t length = 0;
    std::int64_t line = 0;    // 0: absent
    bool is_refused = false;  // of the wrong type; the problem is told
    bool is_number = false;   // and no text
  };
  enum class Origin { nested, flat };
  struct Node {
    JobKind kind = JobKind::campaign;
    Origin origin = Origin::nested;
    // its list of children is none, or under an unknown key; the problem is told
    bool is_refused = false;
    // of a root: its object has something that its rows have in no column
    bool is_more_than_rows = false;
    std::int64_t line = 0;       // where it begins
    std::int64_t first_row = 0;  // of the rows of its deepest entities, unrolled
    std::size_t parent = kNone;
    std::size_t place = 0;          // in the list that it is an element of
    std::array<Value, 6> values{};  // in the order of columns_of(kind)
    Value state;                    // as a result sheet has it, of its row; of a root alone
    Value dsp_id;                   // the same of itself
    std::vector<std::size_t> children;
  };

  // Of one document. An entity takes some 300 bytes here, however few it has in the file.
  static constexpr std::size_t kEntitiesMax = 500'000;
  explicit JsonTree(std::size_t entities_max = kEntitiesMax) : entities_max_(entities_max) {}

  // Reads one document: a campaign, a flat row, or an array of them. A problem of syntax, or too
  // many entities, leaves the tree without nodes. Its rows are numbered from behind `rows_before`.
  void read(std::string_view text, std::int64_t first_line, std::int64_t rows_before,
            Problems& problems);

  const std::vector<Node>& nodes() const { return nodes_; }
  const std::vector<std::size_t>& roots() const { return roots_; }
  // Of the n-th root; `document` as read.
  ObjectText object_text(std::string_view document, std::size_t n) const {
    return objects_.text_of(document, n);
  }
  // Elements of the document's list that are no objects.
  std::int64_t bad_elements() const { return bad_elements_; }
  // The number of the last row; of a document that is refused, of the last that a problem names.
  std::int64_t last_row() const { return last_row_; }
  std::string_view text_of(const Value& value) const {
    return std::string_view(texts_).substr(value.offset, value.length);
  }
  // The place of a column of node `at`, for messages: ad_groups[0].ads[2].type; [7].bid in a list
  // of campaigns
  std::string path_of(std::size_t at, const ColumnRule& rule) const;

 private:
  enum class Here { document, campaigns, entity, children, ignored };
  struct Frame {
    Here here = Here::document;
    std::size_t node = kNone;  // the entity, or the owner of the children
    std::size_t elements = 0;  // of a list, so far
  };

  // A scalar under an unknown key that may have been meant as targeting; what else is there shows
  // at the end.
  struct Suspect {
    std::size_t node = kNone;  // where it stands
    std::span<const ColumnRule> meant;
    std::string key;
    std::int64_t line = 0;
  };

  void take(const JsonToken& token, Problems& problems);
  std::string place_of(std::size_t node) const;
  std::size_t ad_group_of(std::size_t node) const;
  void refuse(std::size_t node, Problem problem, Problems& problems);
  void take_key(std::string_view key, std::int64_t line);
  std::span<const ColumnRule> targeting_meant();
  void take_unknown(const JsonToken& token, Problems& problems);
  void remark_unknown(const std::string& key, std::int64_t line, Problems& problems);
  void refuse_unknown(Problems& problems);
  void judge_suspects(Problems& problems);
  bool has_any(std::size_t node, std::span<const ColumnRule> columns);
  Value& value_of(std::size_t node, const ColumnRule& rule);
  void find_empty_leaves();
  std::size_t root_of(std::size_t node) const;
  void take_scalar(const JsonToken& token, Problems& problems);
  void take_state(const JsonToken& token);
  void take_dsp_id(const JsonToken& token);
  void enter_object(std::int64_t line, Problems& problems);
  void enter_array(std::int64_t line, Problems& problems);
  std::size_t add_node(JobKind kind, Origin origin, std::size_t parent, std::int64_t line);
  std::size_t flat_node(std::size_t campaign, JobKind kind, std::int64_t line);
  void refuse_value(std::int64_t line, std::string_view wanted, Problems& problems);
  void refuse_element(std::int64_t line, Problems& problems);

  std::vector<Node> nodes_;
  std::vector<std::size_t> roots_;
  std::string texts_;
  std::vector<Frame> frames_;
  JsonObjects objects_;
  std::int64_t bad_elements_ = 0;
  std::int64_t last_row_ = 0;
  // What the key before the next value means.
  std::size_t key_node_ = kNone;
  const ColumnRule* key_column_ = nullptr;
  bool key_is_children_ = false;
  bool key_is_unknown_ = false;
  bool key_is_state_ = false;
  std::optional<JobKind> key_dsp_id_;  // whose id at the DSP
  std::int64_t key_line_ = 0;
  std::string key_;
  // by kind and key, of some
  std::array<std::unordered_map<std::string, std::span<const ColumnRule>>, 3> meant_;
  std::vector<Suspect> suspects_;
  std::unordered_set<std::size_t> remarked_;  // hashes of keys that were called unknown
  std::size_t entities_max_;
  bool is_list_ = false;       // the document is one
  bool is_too_large_ = false;  // the document has more entities; the problem is told
};

}  // namespace dl

#include "ingest/json_tree.h"

#include <functional>
#include <optional>

#include "ingest/json_keys.h"

namespace dl {
namespace {

// A path; `place` may be empty.
std::string below(std::string place, std::string_view name) {
  if (!place.empty()) place += '.';
  return place += name;
}

std::string element(std::size_t n) { return "[" + std::to_string(n) + "]"; }

}  // namespace

void JsonTree::read(std::string_view text, std::int64_t first_line, std::int64_t rows_before,
                    Problems& problems) {
  nodes_.clear();
  roots_.clear();
  texts_.clear();
  suspects_.clear();
  frames_.assign(1, Frame{});
  objects_.begin();
  bad_elements_ = 0;
  last_row_ = rows_before;
  is_list_ = false;
  is_too_large_ = false;
  const std::optional<JsonFault> fault =
      read_json(text, first_line, [&](const JsonToken& token) { take(token, problems); });
  if (!fault && !is_too_large_) {
    judge_suspects(problems);
    find_empty_leaves();
    return;
  }
  nodes_.clear();
  roots_.clear();
  bad_elements_ = 0;
  if (!fault) return;
  problems.add({fault->line, 0, "row", std::string(fault->code), fault->message, fault->value,
                !fault->value.empty()});
}

void JsonTree::take(const JsonToken& token, Problems& problems) {
  objects_.take(token);
  const bool is_end = token.type == JsonType::object_end || token.type == JsonType::array_end;
  if (!is_end && token.type != JsonType::key) ++frames_.back().elements;
  switch (token.type) {
    case JsonType::object_begin: enter_object(token.line, problems); break;
    case JsonType::array_begin: enter_array(token.line, problems); break;
    case JsonType::object_end:
    case JsonType::array_end: frames_.pop_back(); break;
    case JsonType::key: take_key(token.text, token.line); break;
    case JsonType::text:
    case JsonType::number:
    case JsonType::boolean:
    case JsonType::null: take_scalar(token, problems); break;
  }
}

void JsonTree::refuse(std::size_t node, Problem problem, Problems& problems) {
  problem.row = nodes_[node].first_row;
  if (problem.column.empty()) problem.column = place_of(node);
  if (problem.column.empty()) problem.column = "row";
  nodes_[root_of(node)].is_more_than_rows = true;
  problems.add(std::move(problem));
}

void JsonTree::take_key(std::string_view key, std::int64_t line) {
  key_column_ = nullptr;
  key_is_children_ = false;
  key_is_unknown_ = false;
  key_is_state_ = false;
  key_dsp_id_.reset();
  const Frame& frame = frames_.back();
  if (frame.here != Here::entity) return;
  key_ = key;
  key_line_ = line;
  key_node_ = frame.node;
  const JobKind kind = nodes_[frame.node].kind;
  key_is_children_ = kind != JobKind::ad && key == children_key(kind);
  if (key_is_children_) return;
  key_column_ = column_inside(kind, key);
  if (key_column_ != nullptr && key_column_->kind != kind) {
    key_node_ = flat_node(frame.node, key_column_->kind, line);
  }
  if (key_column_ != nullptr) return;
  key_is_unknown_ = !is_result_column(key);
  key_is_state_ = is_state_column(key);
  key_dsp_id_ = dsp_id_column_named(key);
}

// Results are flat rows: what stands below a campaign is the user's.
void JsonTree::take_state(const JsonToken& token) {
  if (token.type != JsonType::text || nodes_[key_node_].parent != kNone) return;
  nodes_[key_node_].state = {texts_.size(), token.text.size(), token.line};
  texts_ += token.text;
}

// Of the entity itself or, in a flat row, of one that it implies.
void JsonTree::take_dsp_id(const JsonToken& token) {
  if (token.text.empty() || (token.type != JsonType::text && token.type != JsonType::number))
    return;
  const JobKind kind = nodes_[key_node_].kind;
  if (*key_dsp_id_ != kind && kind != JobKind::campaign) return;
  const std::size_t node =
      *key_dsp_id_ == kind ? key_node_ : flat_node(key_node_, *key_dsp_id_, token.line);
  nodes_[node].dsp_id = {texts_.size(), token.text.size(), token.line};
  texts_ += token.text;
}

// By the present key. Files have the same few unknown keys again and again, and to guess is slow.
std::span<const ColumnRule> JsonTree::targeting_meant() {
  constexpr std::size_t kKnownMax = 1'000;
  constexpr std::size_t kKnownBytesMax = 64;  // of a key
  const JobKind kind = nodes_[key_node_].kind;
  auto& known = meant_[static_cast<std::size_t>(kind)];
  if (const auto found = known.find(key_); found != known.end()) return found->second;
  const std::span<const ColumnRule> meant = targeting_meant_by(kind, key_);
  if (known.size() < kKnownMax && key_.size() <= kKnownBytesMax) known.emplace(key_, meant);
  return meant;
}

void JsonTree::take_unknown(const JsonToken& token, Problems& problems) {
  const bool says_something = token.type != JsonType::null && !token.text.empty();
  const std::span<const ColumnRule> meant =
      says_something ? targeting_meant() : std::span<const ColumnRule>{};
  if (meant.empty()) {
    remark_unknown(key_, key_line_, problems);
  } else {
    suspects_.push_back({key_node_, meant, key_, key_line_});
  }
}

// Each key once; of so many of them that nobody reads on, no more.
void JsonTree::remark_unknown(const std::string& key, std::int64_t line, Problems& problems) {
  constexpr std::size_t kRemarksMax = 1'000;
  if (remarked_.size() >= kRemarksMax) return;
  if (!remarked_.insert(std::hash<std::string>()(key)).second) return;
  const bool is_last = remarked_.size() == kRemarksMax;
  problems.warn(
      {line, 0, "row", "unknown_column",
       is_last ? "this key is not used; further ones are not named" : "this key is not used", key,
       true});
}

// A list or an object may hold all that stands below the entity: no remark that nobody reads.
void JsonTree::refuse_unknown(Problems& problems) {
  Node& node = nodes_[key_node_];
  node.is_refused = true;
  refuse(key_node_,
         {key_line_, 0, "", "unknown_key",
          "this key is not known, and what is in it would be lost" + likely_keys(node.kind, key_),
          key_, true},
         problems);
}

void JsonTree::take_scalar(const JsonToken& token, Problems& problems) {
  const Frame& frame = frames_.back();
  if (frame.here == Here::ignored) return;
  if (frame.here != Here::entity) {
    refuse_element(token.line, problems);
    return;
  }
  if (key_is_unknown_) take_unknown(token, problems);
  if (key_is_state_) take_state(token);
  if (key_dsp_id_) take_dsp_id(token);
  if (token.type == JsonType::null) return;
  if (key_is_children_) refuse_value(token.line, "a list [...]", problems);
  if (key_column_ == nullptr) return;
  if (token.type == JsonType::boolean) {
    refuse_value(token.line, "a text or a number", problems);
    return;
  }
  Value& value = value_of(key_node_, *key_column_);
  if (value.line > 0) {
    value.is_refused = true;
    refuse(key_node_,
           {token.line, 0, path_of(key_node_, *key_column_), "repeated_key",
            "two keys of one object mean this; leave one", key_, true},
           problems);
    return;
  }
  value = {texts_.size(), token.text.size(), token.line, false, token.type == JsonType::number};
  texts_ += token.text;
}

JsonTree::Value& JsonTree::value_of(std::size_t node, const ColumnRule& rule) {
  return nodes_[node].values[static_cast<std::size_t>(&rule - columns_of(rule.kind).data())];
}

// The value of the present key has the wrong type.
void JsonTree::refuse_value(std::int64_t line, std::string_view wanted, Problems& problems) {
  std::string label;
  if (key_column_ != nullptr) {
    label = path_of(key_node_, *key_column_);
    value_of(key_node_, *key_column_) = {0, 0, line, true, false};
  } else {
    label = below(place_of(key_node_), key_);
    nodes_[key_node_].is_refused = true;
  }
  refuse(key_node_, {line, 0, label, "wrong_type", "must be " + std::string(wanted), "", false},
         problems);
}

// An element of a list of entities, or the document, is not an object.
void JsonTree::refuse_element(std::int64_t line, Problems& problems) {
  const std::size_t owner = frames_.back().node;
  const bool is_in_list = frames_.back().here != Here::document;
  std::string place = is_in_list ? element(frames_.back().elements - 1) : "row";
  if (owner != kNone) place = below(place_of(owner), children_key(nodes_[owner].kind)) + place;
  Problem problem{line, 0, std::move(place), "wrong_type", "must be an object {...}", "", false};
  if (owner == kNone) {
    ++bad_elements_;
    problems.add(std::move(problem));
    return;
  }
  nodes_[owner].is_refused = true;
  refuse(owner, std::move(problem), problems);
}

void JsonTree::enter_object(std::int64_t line, Problems& problems) {
  const Frame frame = frames_.back();
  if (frame.here != Here::ignored && nodes_.size() >= entities_max_) {
    if (!is_too_large_) {
      problems.add({line, 0, "row", "too_many_entities",
                    "more than " + std::to_string(entities_max_) +
                        " campaigns, ad groups and ads in one document; write JSON Lines, a "
                        "campaign on each line",
                    "", false});
    }
    is_too_large_ = true;
    frames_.push_back({Here::ignored, kNone, 0});
  } else if (frame.here == Here::document || frame.here == Here::campaigns) {
    frames_.push_back({Here::entity, add_node(JobKind::campaign, Origin::nested, kNone, line), 0});
  } else if (frame.here == Here::children) {
    const JobKind kind = child_of(nodes_[frame.node].kind);
    frames_.push_back({Here::entity, add_node(kind, Origin::nested, frame.node, line), 0});
  } else {
    if (frame.here == Here::entity && key_is_children_) {
      refuse_value(line, "a list [...]", problems);
    } else if (frame.here == Here::entity && key_column_ != nullptr) {
      refuse_value(line, "a text or a number", problems);
    } else if (frame.here == Here::entity && key_is_unknown_) {
      refuse_unknown(problems);
    }
    frames_.push_back({Here::ignored, kNone, 0});
  }
}

void JsonTree::enter_array(std::int64_t line, Problems& problems) {
  const Frame frame = frames_.back();
  if (frame.here == Here::document) {
    is_list_ = true;
    frames_.push_back({Here::campaigns, kNone, 0});
  } else if (frame.here == Here::entity && key_is_children_) {
    frames_.push_back({Here::children, frame.node, 0});
  } else {
    if (frame.here == Here::entity && key_column_ != nullptr) {
      refuse_value(line, "a text; separate the parts of a list by semicolons", problems);
    } else if (frame.here == Here::entity && key_is_unknown_) {
      refuse_unknown(problems);
    } else if (frame.here == Here::campaigns || frame.here == Here::children) {
      refuse_element(line, problems);
    }
    frames_.push_back({Here::ignored, kNone, 0});
  }
}

std::size_t JsonTree::add_node(JobKind kind, Origin origin, std::size_t parent, std::int64_t line) {
  const std::size_t at = nodes_.size();
  Node node;
  node.kind = kind;
  node.origin = origin;
  node.line = line;
  node.parent = parent;
  std::vector<std::size_t>& siblings = parent == kNone ? roots_ : nodes_[parent].children;
  if (origin == Origin::nested && frames_.back().here != Here::document)
    node.place = frames_.back().elements - 1;
  // with the parent, which has no row of its own then
  const bool shares_row = parent != kNone && siblings.empty();
  node.first_row = shares_row ? nodes_[parent].first_row : ++last_row_;
  siblings.push_back(at);
  nodes_.push_back(std::move(node));
  return at;
}

// The implied ad group or ad of a flat object; made when its first column comes.
std::size_t JsonTree::flat_node(std::size_t campaign, JobKind kind, std::int64_t line) {
  std::size_t parent = campaign;
  for (const JobKind level : {JobKind::ad_group, JobKind::ad}) {
    std::size_t child = kNone;
    for (const std::size_t at : nodes_[parent].children) {
      if (nodes_[at].origin == Origin::flat) child = at;
    }
    if (child == kNone) child = add_node(level, Origin::flat, parent, line);
    if (level == kind) return child;
    parent = child;
  }
  return parent;
}

std::string JsonTree::path_of(std::size_t at, const ColumnRule& rule) const {
  return below(place_of(at), nodes_[at].origin == Origin::flat ? rule.name : rule.nested);
}

// An entity's; empty: the document is that entity. A flat row's entities have its own.
std::string JsonTree::place_of(std::size_t node) const {
  const Node& entity = nodes_[node];
  if (entity.parent == kNone) return is_list_ ? element(entity.place) : "";
  if (entity.origin == Origin::flat) return place_of(entity.parent);
  return below(place_of(entity.parent), children_key(nodes_[entity.parent].kind)) +
         element(entity.place);
}

}  // namespace dl

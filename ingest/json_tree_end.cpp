// What shows only at the end of a document.
#include <algorithm>

#include "ingest/json_tree.h"

namespace dl {

// An ad group without the targeting that was written for it would be shown to anybody, for more
// money.
void JsonTree::judge_suspects(Problems& problems) {
  for (const Suspect& suspect : suspects_) {
    const std::size_t group = ad_group_of(suspect.node);
    if (group != kNone && has_any(group, suspect.meant)) {
      remark_unknown(suspect.key, suspect.line, problems);
      continue;
    }
    std::string message = "this key is not known, and what it says would be lost; write ";
    if (suspect.meant.size() > 1) message += "its parts as ";
    for (const ColumnRule& rule : suspect.meant) {
      message += (&rule == &suspect.meant.front() ? "" : ", ") + std::string(rule.name);
    }
    const Node& node = nodes_[suspect.node];
    const bool belongs_below =
        node.kind == JobKind::campaign && group == kNone && !node.children.empty();
    message += belongs_below || node.kind == JobKind::ad ? " into the ad group, or leave it out"
                                                         : ", or leave it out";
    if (group == kNone) {
      nodes_[suspect.node].is_refused = true;
    } else {
      value_of(group, suspect.meant.front()) = {0, 0, suspect.line, true};
    }
    refuse(group == kNone ? suspect.node : group,
           {suspect.line, 0, place_of(suspect.node), "unknown_key", std::move(message), suspect.key,
            true},
           problems);
  }
}

// A value, or one that was refused, of one of these columns.
bool JsonTree::has_any(std::size_t node, std::span<const ColumnRule> columns) {
  return std::any_of(columns.begin(), columns.end(), [&](const ColumnRule& rule) {
    const Value& value = value_of(node, rule);
    return value.length > 0 || value.is_refused;
  });
}

// A row without a value of an ad is that of an ad group without ads; here there is one, without its
// values.
void JsonTree::find_empty_leaves() {
  for (std::size_t at = 0; at < nodes_.size(); ++at) {
    const Node& node = nodes_[at];
    if (node.parent == kNone || !node.children.empty()) continue;
    const bool is_empty = std::all_of(node.values.begin(), node.values.end(),
                                      [](const Value& value) { return value.length == 0; });
    if (is_empty) nodes_[root_of(at)].is_more_than_rows = true;
  }
}

std::size_t JsonTree::root_of(std::size_t node) const {
  while (nodes_[node].parent != kNone) node = nodes_[node].parent;
  return node;
}

// The ad group that targeting at `node` is meant for: an ad's, or that of a flat row; kNone: no
// one.
std::size_t JsonTree::ad_group_of(std::size_t node) const {
  if (nodes_[node].kind == JobKind::ad_group) return node;
  if (nodes_[node].kind == JobKind::ad) return nodes_[node].parent;
  for (const std::size_t child : nodes_[node].children) {
    if (nodes_[child].origin == Origin::flat) return child;
  }
  return kNone;
}

}  // namespace dl

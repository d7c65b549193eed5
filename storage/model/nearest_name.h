// "Did you mean …?": the known name that a mistyped one is closest to.
// Pure; callable from any thread.
#pragma once

#include <optional>
#include <span>
#include <string_view>

namespace dl {

// The name of `known` with the fewest edits (insert, delete, replace, swap of neighbours) from
// `typed`; nothing where even that one needs more than a third of the name's letters (at least one
// is allowed).
std::optional<std::string_view> nearest_name(std::string_view typed,
                                             std::span<const std::string_view> known);

}  // namespace dl

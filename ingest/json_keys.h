// What a key of a JSON object means inside an entity, and what one that means nothing was most
// likely meant to be. Pure; callable from any thread.
#pragma once

#include <span>
#include <string>
#include <string_view>

#include "ingest/columns.h"

namespace dl {

// The key of the list of an entity's children; empty: an ad has none.
std::string_view children_key(JobKind kind);
JobKind child_of(JobKind kind);

// The column that `key` means inside an entity of `kind`; nullptr: none. A campaign may be a flat
// row with the columns of all kinds.
const ColumnRule* column_inside(JobKind kind, std::string_view key);

// What a list or an object under `key`, which is not known, was most likely meant to be, in words.
std::string likely_keys(JobKind kind, std::string_view key);

// The targeting lists of an ad group that a scalar under `key`, which is not known inside `kind`,
// was most likely meant to be one of. They alone may be absent, so nobody would miss them. Empty:
// it is the user's own.
std::span<const ColumnRule> targeting_meant_by(JobKind kind, std::string_view key);

}  // namespace dl

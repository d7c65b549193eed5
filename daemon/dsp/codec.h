// What goes into a request and what an answer says: JSON and paths, as values. The daemon's only
// user of RapidJSON, which is reached through parse_answer alone (it is safe only with the flags
// set there). Knows nothing of sockets, so that the permit transaction can render bodies. Pure; any
// thread.
#pragma once

#include <optional>
#include <span>
#include <string>
#include <string_view>

#include "daemon/core/dsp.h"
#include "daemon/dsp/secret.h"
#include "storage/model/job.h"

namespace dl {

// An answer is read only within these limits.
inline constexpr std::size_t kAnswerBytesMax = std::size_t{1} << 20;
inline constexpr int kAnswerDepthMax = 32;
inline constexpr std::size_t kDspIdBytesMax = 128;
inline constexpr std::size_t kErrorTextBytesMax = 512;

// Reads the JSON of an answer to a request of `purpose` about a `kind`. Never fails: what cannot be
// read is DspAnswer{} with readable = false (not JSON, not UTF-8, not an object, a key twice, too
// deep, too long, anything after the object).
// - ids: the kind's id field, a string or an unsigned integer, kept exactly as its text. A value of
//   another type, or one that is_legal_dsp_id refuses, leaves the answer readable, but without it.
// - A lookup may also answer an array of objects: all their ids. An entity without a legal id makes
//   the whole answer unreadable, for then its ids cannot be counted; status and error are filled
//   even so, as a 404 may well say {"error": …}.
// - external_ids: of a lookup, one for each entity that has the field; masked and clipped like an
// error, and empty
//   where it is no string.
// - error: a string, or compact JSON of an object or array; control characters become spaces.
// - `token`, our own, is masked in status and error. An id that holds it is not kept; where an id
// is what was asked
//   for, the answer is then unreadable, which proves nothing: an entity may be there.
DspAnswer parse_answer(std::string_view body, JobKind kind, Purpose purpose, const Secret& token);

// 1 to 128 characters of [A-Za-z0-9._:-~@+=/], and not "." or "..", which a path would swallow.
bool is_legal_dsp_id(std::string_view id);

// A parent as the child's body names it: under its kind's id field.
struct ParentId {
  JobKind kind = JobKind::campaign;
  std::string_view dsp_id;
};

// The exact bytes of a creation: `payload` (a JSON object as ingest stored it) with the parents'
// ids and, where a lookup is configured, the attempt's key as "external_id", spliced in after the
// first brace.
std::string render_create_body(std::string_view payload, std::span<const ParentId> parents,
                               std::optional<std::string_view> external_id);

// Paths below the endpoint, percent-encoded; ids of the DSP and keys are untrusted in them.
std::string create_target(JobKind kind);                           // /ad-groups
std::string status_target(JobKind kind, std::string_view dsp_id);  // /ad-groups/<id>/status
std::string lookup_target(JobKind kind, std::string_view key);     // /ad-groups?external_id=<key>

// Everything but A-Z a-z 0-9 - _ ~ and '.' becomes %XX; the segments "." and ".." entirely.
std::string percent_encode_segment(std::string_view text);

}  // namespace dl

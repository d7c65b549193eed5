// Bytes as the body of a DSP's answer. Invariants:
// - ids are legal, one but for a lookup, and none where the answer is unreadable;
// - what is readable is JSON to another reader too, and an id is the text that stands there;
// - texts for the ledger and the log are short, printable where they must be, whole characters;
// - an id, put into a path and a body of ours, stays one segment and one JSON string;
// - only a 2xx with exactly one id is "accepted".
#include <algorithm>
#include <string>
#include <vector>

#include "daemon/core/outcome.h"
#include "daemon/dsp/codec.h"
#include "daemon/dsp/reply.h"
#include "ingest/json_reader.h"
#include "ingest/line_reader.h"
#include "storage/model/check.h"
#include "tests/fuzz/target.h"

namespace dl::fuzz {
namespace {

void check_text(const std::optional<std::string>& text) {
  if (!text) return;
  DL_CHECK(text->size() <= kErrorTextBytesMax, "a text has its limit");
  DL_CHECK(is_valid_utf8(*text), "a text is whole characters");
  DL_CHECK(std::none_of(text->begin(), text->end(),
                        [](char c) { return static_cast<unsigned char>(c) < 0x20 || c == 0x7F; }),
           "a text is one line");
}

void check_id(const std::string& id, JobKind kind) {
  DL_CHECK(is_legal_dsp_id(id), "an id is legal");
  const std::string target = status_target(kind, id);
  DL_CHECK(std::count(target.begin(), target.end(), '/') == 3, "an id is one segment of a path");
  const ParentId parent{kind, id};
  const std::string body = render_create_body(R"({"id":"x"})", {&parent, 1}, "key");
  const DspAnswer back = parse_answer(body, kind, Purpose::create, Secret());
  DL_CHECK(back.readable && back.ids == std::vector<std::string>{id}, "an id is one JSON string");
}

// The values of the kind's id field where an id may stand, by ingest's reader of JSON.
struct OtherOpinion {
  bool is_json = false;
  bool is_whole = false;
  std::vector<std::string> ids;
};
OtherOpinion other_opinion(std::string_view body, JobKind kind) {
  OtherOpinion opinion;
  if (body.starts_with("\xEF\xBB\xBF")) body.remove_prefix(3);
  int depth = 0;
  int entity_depth = 1;
  std::string key;
  const auto fault = read_json(body, 1, [&](const JsonToken& token) {
    const bool begins = token.type == JsonType::object_begin || token.type == JsonType::array_begin;
    if (depth == 0) entity_depth = token.type == JsonType::array_begin ? 2 : 1;
    if (begins) ++depth;
    if (token.type == JsonType::object_end || token.type == JsonType::array_end) --depth;
    if (token.type == JsonType::key && depth == entity_depth) key = token.text;
    const bool is_scalar = token.type == JsonType::text || token.type == JsonType::number;
    if (is_scalar && depth == entity_depth && key == names_of(kind).id_field) {
      opinion.ids.emplace_back(token.text);
    }
  });
  opinion.is_whole = !fault;
  // A key twice deeper down, or very many of them, is of no concern to the daemon.
  opinion.is_json = !fault || fault->code == "repeated_key" || fault->code == "too_many_keys";
  return opinion;
}

void check_answer(std::string_view body, JobKind kind, Purpose purpose) {
  const DspAnswer answer = parse_answer(body, kind, purpose, Secret());
  DL_CHECK(answer.readable || answer.ids.empty(), "what cannot be read has no ids");
  DL_CHECK(purpose == Purpose::lookup || answer.ids.size() <= 1, "a creation has one id");
  check_text(answer.status);
  check_text(answer.error);
  for (const std::string& id : answer.ids) check_id(id, kind);
  if (!answer.readable) return;
  const OtherOpinion other = other_opinion(body, kind);
  DL_CHECK(other.is_json, "what can be read is JSON");
  for (const std::string& id : answer.ids) {
    DL_CHECK(!other.is_whole || std::ranges::find(other.ids, id) != other.ids.end(),
             "an id is what stands there");
  }
}

void check_outcome(std::string_view body, JobKind kind, Purpose purpose, int status) {
  DspReply reply;
  reply.wire = Wire::answered;
  reply.http_status = status;
  note_body(reply, "application/json", body, kind, purpose, Secret());
  DL_CHECK(reply.excerpt.size() <= 512, "an excerpt has its limit");
  DL_CHECK(std::ranges::all_of(reply.excerpt, [](char c) { return c >= ' ' && c <= '~'; }),
           "an excerpt is printable");
  for (const MissingId missing : {MissingId::in_doubt, MissingId::refused}) {
    const OutcomeClass what =
        classify(purpose, reply,
                 {.missing_id = missing, .retryable_statuses = {}, .not_applied_statuses = {}});
    const bool has_id = reply.answer.readable && reply.answer.ids.size() == 1;
    DL_CHECK(what != OutcomeClass::accepted || (status == 201 && has_id && is_post(purpose)),
             "accepted is a 2xx with its id");
    DL_CHECK(what != OutcomeClass::found || (has_id && purpose == Purpose::lookup),
             "found is one id");
  }
}

}  // namespace

void answer(std::string_view input) {
  for (const KindNames& names : kKinds) {
    for (const Purpose purpose : {Purpose::create, Purpose::lookup})
      check_answer(input, names.kind, purpose);
  }
  for (const Purpose purpose :
       {Purpose::create, Purpose::resubmit, Purpose::status, Purpose::lookup}) {
    for (const int status : {201, 409, 500})
      check_outcome(input, JobKind::campaign, purpose, status);
  }
}

}  // namespace dl::fuzz

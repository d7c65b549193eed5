#include "tests/mock_dsp/dsp.h"

#include <algorithm>

#include "tests/mock_dsp/json_object.h"

namespace dl::mock {
namespace {

void answer(Reply& reply, int status, std::string body) {
  reply.status = status;
  reply.body = std::move(body);
}

void refuse(Reply& reply, int status, std::string_view note, std::string_view why) {
  reply.entry.add_note(note);
  std::string body = "{\"error\":";
  append_json_string(body, why);
  answer(reply, status, body + "}");
}

std::string id_object(JobKind kind, std::string_view dsp_id) {
  std::string body = "{\"";
  body.append(names_of(kind).id_field).append("\":");
  append_json_string(body, dsp_id);
  return body + "}";
}

std::string retry_after(Micros wait_us) {
  return "Retry-After: " + std::to_string((wait_us + 999'999) / 1'000'000) + "\r\n";
}

std::optional<JobKind> parent_kind(JobKind kind) {
  switch (kind) {
    case JobKind::campaign: return std::nullopt;
    case JobKind::ad_group: return JobKind::campaign;
    case JobKind::ad: return JobKind::ad_group;
  }
  return std::nullopt;
}

// Nothing: the body is not what the API asks for.
std::optional<Creation> read_creation(JobKind kind, const HttpRequest& http) {
  Creation creation;
  creation.kind = kind;
  creation.key = http.idempotency_key.value_or("");
  creation.body_hash = std::hash<std::string_view>{}(http.body);
  const std::optional<JobKind> parent = parent_kind(kind);
  const std::string_view parent_field = parent ? names_of(*parent).id_field : "";
  const bool is_object = read_json_object(http.body, [&](const JsonField& field) {
    if (field.type != JsonType::string && field.type != JsonType::number) return;
    if (field.name == "id") creation.entity = field.text;
    if (field.name == "external_id") creation.external_id = field.text;
    if (parent && field.name == parent_field) creation.parent = field.text;
  });
  if (!is_object || creation.entity.empty() || (parent && creation.parent.empty())) {
    return std::nullopt;
  }
  return creation;
}

// What a fault makes of a reply: one that was applied, or an empty one.
void suffer(const Fault& fault, Reply& reply) {
  reply.entry.add_note(fault.name);
  if (fault.kind == FaultKind::slow || fault.kind == FaultKind::hang) {
    reply.delay_us = fault.delay_ms * 1'000;
  }
  if (fault.kind != FaultKind::slow) reply.entry.answer = {};  // not told after all
  switch (fault.kind) {
    case FaultKind::status:
      answer(reply, fault.status, "{\"error\":\"fault " + fault.name + "\"}");
      reply.headers = fault.delay_ms > 0 ? retry_after(fault.delay_ms * 1'000) : "";
      return;
    case FaultKind::lost_answer:
    case FaultKind::lost_request:
    case FaultKind::late_apply:
    case FaultKind::hang: reply.way = Way::nothing; return;
    case FaultKind::reset: reply.way = Way::reset; return;
    case FaultKind::garbage: reply.way = Way::garbage; return;
    case FaultKind::cut_body: reply.way = Way::cut_body; return;
    case FaultKind::bad_json: reply.body = "{\"campaign_id\": \"not closed, "; return;
    case FaultKind::no_id:
      if (reply.status < 300) answer(reply, 201, "{}");
      return;
    case FaultKind::slow:
    case FaultKind::fail_status:
    case FaultKind::refuse: return;
  }
}

bool is_answered(Way way) { return way == Way::answer || way == Way::cut_body; }

}  // namespace

struct Dsp::Route {
  enum class What { create, status, look_up, wrong_method, unknown };
  What what = What::unknown;
  JobKind kind = JobKind::campaign;
  std::string id;  // status: the DSP's id; look_up: the external id
};

Dsp::Dsp(DspSettings settings)
    : settings_(std::move(settings)),
      limit_(settings_.limit, settings_.refused),
      faults_(settings_.faults, settings_.seed),
      processing_random_(mixed(settings_.seed + 1)),
      entities_(settings_.ids) {}

Dsp::Route Dsp::route_of(const HttpRequest& http) const {
  using What = Route::What;
  const std::size_t question = std::min(http.target.find('?'), http.target.size());
  const std::string_view path = http.target.substr(0, question);
  std::string_view query = http.target.substr(question);
  const std::size_t slash = std::min(path.find('/', 1), path.size());
  for (const KindNames& names : kKinds) {
    if (!path.starts_with('/') || path.substr(1, slash - 1) != names.collection) continue;
    std::string_view rest = path.substr(slash);
    if (rest.empty() && http.method == "POST") return {What::create, names.kind, {}};
    if (rest.empty()) {
      constexpr std::string_view kLookup = "?external_id=";
      const bool asks = http.method == "GET" && query.starts_with(kLookup);
      if (!asks || settings_.lookup == Switch::off) return {What::wrong_method, names.kind, {}};
      const auto id = percent_decoded(query.substr(kLookup.size()));
      return id ? Route{What::look_up, names.kind, *id} : Route{};
    }
    if (!rest.ends_with("/status") || rest.size() <= 8) return {};
    const std::string_view id_text = rest.substr(1, rest.size() - 8);
    const auto id = percent_decoded(id_text);
    if (!id || id_text.find('/') != std::string_view::npos) return {};
    return {http.method == "GET" ? What::status : What::wrong_method, names.kind, *id};
  }
  return {};
}

Reply Dsp::begin(Instant now) {
  Reply reply;
  reply.entry.seq = ++seq_;
  reply.entry.at = now;
  return reply;
}

Reply Dsp::handle(const HttpRequest& http, Instant now) {
  Reply reply = begin(now);
  reply.entry.method = http.method;
  reply.entry.path = http.target;
  reply.entry.key = http.idempotency_key.value_or("");
  const Route route = route_of(http);
  std::optional<Creation> creation;
  if (route.what != Route::What::unknown) reply.entry.kind = names_of(route.kind).name;
  if (route.what == Route::What::create) creation = read_creation(route.kind, http);
  if (creation) {
    reply.entry.entity = creation->entity;
    reply.entry.parent = creation->parent;
    reply.entry.external_id = creation->external_id;
  }
  const std::optional<Micros> wait_us = limit_.admit(now.scaled_us);
  if (wait_us) {
    refuse(reply, 429, "over_limit", "too many requests");
    reply.headers = retry_after(*wait_us);
  } else if (!settings_.token.empty() && http.authorization != "Bearer " + settings_.token) {
    refuse(reply, 401, "unauthorized", "wanted: Authorization: Bearer and the token");
  } else {
    const bool is_post = http.method == "POST";
    const Fault* const fault = faults_.draw(is_post ? Method::post : Method::get);
    if (fault != nullptr && fault->kind == FaultKind::late_apply && creation) {
      apply_later(*creation, *fault, now, reply);
    } else if (fault == nullptr || fault->applied) {
      serve(route, creation, now, reply);
    }
    if (fault != nullptr) suffer(*fault, reply);
  }
  if (is_answered(reply.way)) reply.entry.status = reply.status;
  return reply;
}

Reply Dsp::refuse_bytes(int status, std::string_view trouble, Instant now) {
  Reply reply = begin(now);
  limit_.admit(now.scaled_us);
  refuse(reply, status, "bad_request", trouble);
  reply.entry.status = status;
  return reply;
}

void Dsp::serve(const Route& route, const std::optional<Creation>& creation, Instant now,
                Reply& reply) {
  switch (route.what) {
    case Route::What::create:
      if (creation) return create(*creation, now, reply);
      return refuse(reply, 400, "bad_body",
                    "wanted: a JSON object with id and the parent's DSP id");
    case Route::What::status: return tell_status(route, now, reply);
    case Route::What::look_up: return look_up(route, reply);
    case Route::What::wrong_method: return refuse(reply, 405, "bad_request", "wrong method");
    case Route::What::unknown: return refuse(reply, 404, "bad_request", "no such route");
  }
}

// The answer that a known key alone decides; false: the key is new or means nothing.
bool Dsp::settled_by_key(const Creation& creation, Reply& reply) const {
  if (settings_.idempotency == Switch::off || creation.key.empty()) return false;
  const auto found = keys_.find(creation.key);
  if (found == keys_.end()) return false;
  const Keyed& keyed = found->second;
  if (keyed.kind != creation.kind || keyed.body_hash != creation.body_hash) {
    refuse(reply, 422, "key_with_other_body", "this Idempotency-Key came with another request");
  } else if (keyed.dsp_id.empty()) {
    refuse(reply, 409, "key_in_progress", "a request with this Idempotency-Key is in progress");
  } else {
    reply.entry.add_note("deduplicated");
    reply.entry.dsp_id = keyed.dsp_id;
    answer(reply, 200, id_object(creation.kind, keyed.dsp_id));
  }
  return true;
}

void Dsp::create(const Creation& creation, Instant now, Reply& reply) {
  if (settled_by_key(creation, reply)) return;
  const std::string_view kind_name = names_of(creation.kind).name;
  if (const Fault* const refusal = faults_.refusal_of(kind_name, creation.entity)) {
    return refuse(reply, refusal->status, refusal->name, "this entity is not welcome");
  }
  const std::optional<JobKind> parent = parent_kind(creation.kind);
  if (parent && !entities_.any_succeeded(*parent, creation.parent, now.scaled_us)) {
    return refuse(reply, 422, "child_before_parent", "the parent does not exist or is not done");
  }
  reply.entry.processing_us = settings_.processing.sample(processing_random_);
  const Micros decided_us = now.scaled_us + reply.entry.processing_us;
  reply.entry.created = true;
  reply.entry.fails = faults_.draw_fail_status();
  const Ending ending = reply.entry.fails ? Ending::failed : Ending::success;
  reply.entry.dsp_id = entities_.add(creation, decided_us, ending);
  if (settings_.idempotency == Switch::on && !creation.key.empty()) {
    keys_[creation.key] = {creation.kind, creation.body_hash, reply.entry.dsp_id};
  }
  answer(reply, 201, id_object(creation.kind, reply.entry.dsp_id));
}

void Dsp::apply_later(const Creation& creation, const Fault& fault, Instant now, Reply& reply) {
  if (settled_by_key(creation, reply)) return;
  if (settings_.idempotency == Switch::on && !creation.key.empty()) {
    keys_[creation.key] = {creation.kind, creation.body_hash, ""};
  }
  late_.emplace(now.scaled_us + fault.delay_ms * 1'000, Late{reply.entry.seq, creation});
}

std::optional<Micros> Dsp::next_due_us() const {
  if (late_.empty()) return std::nullopt;
  return late_.begin()->first;
}

std::vector<LedgerEntry> Dsp::apply_due(Instant now) {
  std::vector<LedgerEntry> entries;
  while (!late_.empty() && late_.begin()->first <= now.scaled_us) {
    const Late late = std::move(late_.extract(late_.begin()).mapped());
    const Creation& creation = late.creation;
    const auto keyed = keys_.find(creation.key);
    if (keyed != keys_.end() && keyed->second.dsp_id.empty()) keys_.erase(keyed);
    Reply reply;  // nobody is there to read it
    reply.entry.seq = late.seq;
    reply.entry.at = now;
    reply.entry.kind = names_of(creation.kind).name;
    reply.entry.entity = creation.entity;
    reply.entry.parent = creation.parent;
    reply.entry.key = creation.key;
    reply.entry.external_id = creation.external_id;
    create(creation, now, reply);
    entries.push_back(std::move(reply.entry));
  }
  return entries;
}

void Dsp::tell_status(const Route& route, Instant now, Reply& reply) const {
  const EntityStatus status = entities_.status_of(route.kind, route.id, now.scaled_us);
  if (status != EntityStatus::unknown) reply.entry.dsp_id = route.id;
  switch (status) {
    case EntityStatus::unknown: return refuse(reply, 404, "unknown_id", "no such entity");
    case EntityStatus::pending: reply.entry.answer = "pending"; break;
    case EntityStatus::success: reply.entry.answer = "success"; break;
    case EntityStatus::failed: reply.entry.answer = "failed"; break;
  }
  std::string body = "{\"status\":\"" + std::string(reply.entry.answer) + "\"";
  if (status == EntityStatus::failed) body += ",\"error\":\"fault fail_status\"";
  answer(reply, 200, body + "}");
}

void Dsp::look_up(const Route& route, Reply& reply) const {
  const std::vector<std::string> ids = entities_.with_external_id(route.kind, route.id);
  if (ids.empty()) return refuse(reply, 404, "unknown_id", "no such entity");
  reply.entry.external_id = route.id;
  reply.entry.dsp_id = ids.front();
  if (ids.size() == 1) return answer(reply, 200, id_object(route.kind, ids.front()));
  std::string body;
  for (const std::string& id : ids) {
    body += (body.empty() ? "[" : ",") + id_object(route.kind, id);
  }
  answer(reply, 200, body + "]");
}

}  // namespace dl::mock

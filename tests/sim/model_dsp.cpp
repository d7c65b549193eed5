#include "tests/sim/model_dsp.h"

#include <algorithm>
#include <array>

namespace dl::sim {
namespace {

constexpr std::int64_t kNever = INT64_MAX;

DspReply answer(int status) {
  DspReply reply;
  reply.wire = Wire::answered;
  reply.http_status = status;
  reply.answer.readable = true;
  return reply;
}

DspReply id_answer(const std::string& dsp_id) {
  DspReply reply = answer(200);
  reply.answer.ids.push_back(dsp_id);
  return reply;
}

}  // namespace

std::string field_of(const std::string& body, const std::string& name) {
  const std::string start = "\"" + name + "\":\"";
  const std::size_t at = body.find(start);
  if (at == std::string::npos) return "";
  const std::size_t from = at + start.size();
  return body.substr(from, body.find('"', from) - from);
}

// N arrivals may lie in a half-open window of W, the next one not.
void ModelDsp::count(RequestId request, std::int64_t now) {
  ++arrivals_;
  if (request > limited_after_) limited_at_ = now;
  for (const Tier& tier : limit_) {
    if (now - limited_at_ >= tier.window_ms) continue;
    const auto n = static_cast<std::size_t>(tier.count);
    if (recent_.size() < n || now - recent_[recent_.size() - n] >= tier.window_ms) continue;
    wrongs_.push_back("limit: more than " + std::to_string(tier.count) + " requests within " +
                      std::to_string(tier.window_ms) + " ms");
  }
  recent_.push_back(now);
  if (recent_.size() > 64) recent_.pop_front();
}

void ModelDsp::judge_by(std::vector<Tier> limit, RequestId after) {
  limit_ = std::move(limit);
  limited_after_ = after;
  limited_at_ = INT64_MIN / 2;
}

void ModelDsp::check_parents(const DspRequest& request, std::int64_t now) {
  const std::string own = field_of(request.body, "id");
  std::size_t named = 0;
  const auto expected = parents_.find(own);
  const std::size_t wanted = expected == parents_.end() ? 0 : expected->second.size();
  for (const char* field : {"campaign_id", "ad_group_id"}) {
    const std::string dsp_id = field_of(request.body, field);
    if (dsp_id.empty()) continue;
    ++named;
    const auto at = by_dsp_id_.find(dsp_id);
    const bool is_there = at != by_dsp_id_.end();
    const bool done =
        is_there && !entities_[at->second].will_fail && entities_[at->second].decided_at <= now;
    const bool fits =
        is_there && wanted > 0 &&
        std::ranges::find(expected->second, entities_[at->second].own_id) != expected->second.end();
    if (!done) wrongs_.push_back("order: " + own + " was sent before its parent was confirmed");
    if (is_there && !fits) wrongs_.push_back("order: " + own + " names another job's parent");
  }
  if (named != wanted) wrongs_.push_back("order: " + own + " does not name its parents");
}

std::optional<DspReply> ModelDsp::by_key(const DspRequest& request, std::int64_t now) {
  if (traits_.honours != Honours::keys) return std::nullopt;
  const auto at = by_key_.find(request.idempotency_key);
  if (at == by_key_.end()) return std::nullopt;
  const KeyUse& use = at->second;
  if (now - use.first_at >= traits_.key_lifetime_ms) {
    by_key_.erase(at);
    return std::nullopt;
  }
  if (use.body != request.body) {
    wrongs_.push_back("key: " + field_of(request.body, "id") +
                      " was sent with another body under the same key");
    return answer(422);
  }
  return use.entity ? id_answer(entities_[*use.entity].dsp_id) : answer(409);
}

DspReply ModelDsp::apply(const DspRequest& request, std::int64_t now, bool faulty) {
  const std::string own = field_of(request.body, "id");
  if (find_alive(own, now)) wrongs_.push_back("twice: " + own + " was created a second time");
  Entity entity;
  entity.own_id = own;
  entity.dsp_id = "D" + std::to_string(entities_.size() + 1);
  entity.born_at = now;
  entity.decided_at = now + dice_.between(0, traits_.processing_max_ms);
  entity.will_fail = faulty && dice_.happens(traits_.creation_fails);
  if (faulty && dice_.happens(traits_.never_decides)) entity.decided_at = kNever;
  static constexpr std::array kRefusals = {503, 401, 403};
  if (faulty && traits_.never_looks > 0 && dice_.happens(traits_.never_looks))
    entity.refuses_looks_with = dice_.pick(kRefusals);
  const std::size_t index = entities_.size();
  by_dsp_id_[entity.dsp_id] = index;
  by_own_id_.emplace(own, index);
  if (traits_.honours == Honours::keys) {
    KeyUse& use = by_key_[request.idempotency_key];
    if (use.body.empty()) use = {now, request.body, index};
    use.entity = index;
  }
  if (traits_.honours == Honours::lookups) {
    by_external_id_.emplace(field_of(request.body, "external_id"), index);
  }
  entities_.push_back(entity);
  return id_answer(entity.dsp_id);
}

DspReply ModelDsp::status(const DspRequest& request, std::int64_t now, bool faulty) {
  const std::size_t from = request.target.find('/', 1) + 1;
  const std::string dsp_id = request.target.substr(from, request.target.find('/', from) - from);
  const auto at = by_dsp_id_.find(dsp_id);
  if (at == by_dsp_id_.end()) return answer(404);
  const Entity& entity = entities_[at->second];
  const int refusal = entity.refuses_looks_with;
  if (refusal == 503 || (refusal != 0 && faulty)) return answer(refusal);
  DspReply reply = answer(200);
  const bool is_decided = entity.decided_at <= now;
  reply.answer.status = !is_decided ? "pending" : entity.will_fail ? "failed" : "success";
  if (!is_decided && dice_.happens(0.05)) reply.retry_after = "3";
  return reply;
}

DspReply ModelDsp::lookup(const DspRequest& request, std::int64_t now) const {
  const auto [first, last] =
      by_external_id_.equal_range(request.target.substr(request.target.find('=') + 1));
  DspReply reply = answer(200);
  for (auto at = first; at != last; ++at) {
    const Entity& entity = entities_[at->second];
    if (entity.born_at + traits_.lookup_lag_ms <= now) reply.answer.ids.push_back(entity.dsp_id);
  }
  return reply.answer.ids.empty() ? answer(404) : reply;
}

ModelAnswer ModelDsp::arrive(const DspRequest& request, std::int64_t now, bool calm) {
  count(request.id, now);
  const bool faulty = !calm;
  if (is_post(request.purpose)) check_parents(request, now);
  if (faulty && dice_.happens(traits_.no_credentials)) {
    locked_out_until_ = now + dice_.between(1'000, 200'000);
  }
  if (faulty && now < locked_out_until_) return {answer(dice_.happens(0.5) ? 401 : 403), {}};
  if (faulty && dice_.happens(traits_.refused_429)) {
    DspReply reply = answer(429);
    if (dice_.happens(0.5)) reply.retry_after = std::to_string(dice_.between(0, 120));
    return {reply, {}};
  }
  return is_post(request.purpose) ? post(request, now, faulty) : get(request, now, faulty);
}

ModelAnswer ModelDsp::get(const DspRequest& request, std::int64_t now, bool faulty) {
  DspReply reply =
      request.purpose == Purpose::status ? status(request, now, faulty) : lookup(request, now);
  if (!faulty) return {reply, {}};
  if (dice_.happens(traits_.lost_answer)) return {};
  if (dice_.happens(traits_.bare_503)) return {answer(503), {}};
  if (dice_.happens(traits_.error_500)) return {answer(500), {}};
  return {reply, {}};
}

ModelAnswer ModelDsp::post(const DspRequest& request, std::int64_t now, bool faulty) {
  const auto chance = [&](double of) { return faulty && dice_.happens(of); };
  if (chance(traits_.refused_400)) return {answer(400), {}};
  if (chance(traits_.refused_408)) return {answer(408), {}};
  const std::optional<DspReply> known = by_key(request, now);
  if (!known && chance(traits_.late_apply)) {
    if (traits_.honours == Honours::keys) {
      by_key_[request.idempotency_key] = {now, request.body, std::nullopt};
    }
    const std::int64_t at = now + dice_.between(traits_.late_min_ms, traits_.late_ms);
    if (dice_.happens(0.3)) return {answer(504), at};
    return {std::nullopt, at};
  }
  if (chance(traits_.bare_503)) {
    if (!known && dice_.happens(0.5)) apply(request, now, faulty);
    return {answer(503), {}};
  }
  if (chance(traits_.error_500)) {
    if (!known && dice_.happens(0.5)) apply(request, now, faulty);
    static constexpr std::array kStatuses = {500, 500, 502, 504, 520};
    return {answer(dice_.pick(kStatuses)), {}};
  }
  DspReply reply = known ? *known : apply(request, now, faulty);
  if (chance(traits_.lost_answer)) return {};
  if (chance(traits_.garbage)) reply.answer = {};
  if (chance(traits_.missing_id)) reply.answer.ids.clear();
  return {reply, {}};
}

void ModelDsp::apply_late(const DspRequest& request, std::int64_t now) {
  apply(request, now, true);
}

std::optional<std::string> ModelDsp::find_alive(const std::string& own_id, std::int64_t now) const {
  const auto [first, last] = by_own_id_.equal_range(own_id);
  for (auto at = first; at != last; ++at) {
    if (is_alive(entities_[at->second], now)) return entities_[at->second].dsp_id;
  }
  return std::nullopt;
}

bool ModelDsp::has_succeeded(const std::string& own_id, const std::string& dsp_id,
                             std::int64_t now) const {
  const auto at = by_dsp_id_.find(dsp_id);
  if (at == by_dsp_id_.end()) return false;
  const Entity& entity = entities_[at->second];
  return entity.own_id == own_id && !entity.will_fail && entity.decided_at <= now;
}

std::vector<ModelDsp::Alive> ModelDsp::alive(std::int64_t now) const {
  std::vector<Alive> all;
  for (const Entity& entity : entities_) {
    if (is_alive(entity, now)) all.push_back({entity.own_id, entity.dsp_id});
  }
  return all;
}

}  // namespace dl::sim

#include "tests/sim/model_dsp.h"

#include <algorithm>

namespace dl::sim {
namespace {

DspReply answer(int status) {
  DspReply reply;
  reply.wire = Wire::answered;
  reply.fresh_connection = true;
  reply.http_status = status;
  reply.answer.readable = true;
  reply.latency_us = 100'000;
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

bool ModelDsp::happens(double probability) {
  return std::uniform_real_distribution<double>(0, 1)(random_) < probability;
}

DspReply ModelDsp::create(const DspRequest& request, std::int64_t now, bool calm) {
  const std::string external = field_of(request.body, "external_id");
  const std::string key = traits_.honours == Honours::keys ? request.idempotency_key
                          : traits_.honours == Honours::lookups ? external
                                                                : "";
  if (traits_.honours == Honours::keys && by_key_.contains(key)) return id_answer(by_key_[key]);
  const std::string own = field_of(request.body, "id");
  for (const char* parent_field : {"campaign_id", "ad_group_id"}) {
    const std::string parent = field_of(request.body, parent_field);
    if (parent.empty()) continue;
    const auto at = by_dsp_id_.find(parent);
    const bool succeeded = at != by_dsp_id_.end() && !entities_[at->second].will_fail && entities_[at->second].decided_at <= now;
    if (!succeeded) wrongs_.push_back("child before parent: " + own + " under " + parent);
  }
  if (has_alive(own, now)) wrongs_.push_back("duplicate: " + own);
  Entity entity;
  entity.own_id = own;
  entity.dsp_id = "D" + std::to_string(entities_.size() + 1);
  entity.decided_at = now + std::uniform_int_distribution<std::int64_t>(traits_.processing_min_ms, traits_.processing_max_ms)(random_);
  entity.will_fail = !calm && happens(traits_.creation_fails);
  by_dsp_id_[entity.dsp_id] = entities_.size();
  if (!key.empty()) by_key_[key] = entity.dsp_id;
  entities_.push_back(entity);
  return id_answer(entity.dsp_id);
}

DspReply ModelDsp::status(const DspRequest& request, std::int64_t now) const {
  const std::size_t from = request.target.find('/', 1) + 1;
  const std::string dsp_id = request.target.substr(from, request.target.find('/', from) - from);
  const auto at = by_dsp_id_.find(dsp_id);
  if (at == by_dsp_id_.end()) return answer(404);
  const Entity& entity = entities_[at->second];
  DspReply reply = answer(200);
  reply.answer.status = now < entity.decided_at ? "pending" : entity.will_fail ? "failed" : "success";
  return reply;
}

DspReply ModelDsp::lookup(const DspRequest& request) const {
  const auto at = by_key_.find(request.target.substr(request.target.find('=') + 1));
  return at == by_key_.end() ? answer(404) : id_answer(at->second);
}

ModelAnswer ModelDsp::arrive(const DspRequest& request, std::int64_t now, bool calm) {
  arrivals_.push_back(now);
  const bool faulty = !calm;
  if (faulty && happens(traits_.refused_429)) {
    DspReply reply = answer(429);
    if (happens(0.5)) reply.retry_after = "7";
    return {reply, {}};
  }
  if (faulty && happens(traits_.bare_503)) return {answer(503), {}};
  if (!is_post(request.purpose)) {
    DspReply reply = request.purpose == Purpose::status ? status(request, now) : lookup(request);
    if (faulty && happens(traits_.lost_answer)) return {};
    if (faulty && happens(traits_.error_500)) return {answer(500), {}};
    return {reply, {}};
  }
  if (faulty && request.purpose == Purpose::create && happens(traits_.refused_400)) return {answer(400), {}};
  if (faulty && happens(traits_.late_apply)) {
    return {std::nullopt, now + std::uniform_int_distribution<std::int64_t>(1, traits_.late_ms)(random_)};
  }
  if (faulty && happens(traits_.error_500)) {
    if (happens(0.5)) create(request, now, calm);
    return {answer(500), {}};
  }
  DspReply reply = create(request, now, calm);
  if (faulty && happens(traits_.lost_answer)) return {};
  if (faulty && happens(traits_.garbage)) {
    DspReply garbage = answer(200);
    garbage.answer.readable = false;
    return {garbage, {}};
  }
  return {reply, {}};
}

void ModelDsp::apply_late(const DspRequest& request, std::int64_t now) { create(request, now, false); }

bool ModelDsp::has_alive(const std::string& own_id, std::int64_t now) const {
  return std::any_of(entities_.begin(), entities_.end(), [&](const Entity& entity) {
    const bool known_dead = entity.will_fail && entity.decided_at <= now;
    return entity.own_id == own_id && !known_dead;
  });
}

std::int64_t ModelDsp::alive_entities(std::int64_t now) const {
  return std::count_if(entities_.begin(), entities_.end(),
                       [&](const Entity& entity) { return !(entity.will_fail && entity.decided_at <= now); });
}

std::vector<std::string> ModelDsp::violations(int limit, std::int64_t window_ms) const {
  std::vector<std::string> all = wrongs_;
  std::vector<std::int64_t> sorted = arrivals_;
  std::sort(sorted.begin(), sorted.end());
  for (std::size_t i = static_cast<std::size_t>(limit); i < sorted.size(); ++i) {
    if (sorted[i] - sorted[i - static_cast<std::size_t>(limit)] < window_ms) {
      all.push_back("more than " + std::to_string(limit) + " requests in the window that ends at " + std::to_string(sorted[i]));
      break;
    }
  }
  return all;
}

}  // namespace dl::sim

// The policies that a configuration stands for (daemon.h).
#include <algorithm>
#include <optional>
#include <utility>

#include "daemon/daemon.h"
#include "daemon/dsp/codec.h"
#include "storage/version.h"

namespace dl {
namespace {

std::string create_body(std::string_view payload,
                        const std::vector<std::pair<JobKind, std::string>>& parents,
                        std::string_view external_id) {
  std::vector<ParentId> ids;
  for (const auto& [kind, dsp_id] : parents) ids.push_back({kind, dsp_id});
  return render_create_body(
      payload, ids,
      external_id.empty() ? std::nullopt : std::optional<std::string_view>(external_id));
}

}  // namespace

LimiterPolicy limiter_policy(const Config& config) {
  return {config.rate_limit, config.burst, config.headroom, config.strict, config.late_arrival_ms};
}

DispatcherPolicy dispatcher_policy(const Config& config) {
  DispatcherPolicy policy;
  policy.limiter = limiter_policy(config);
  policy.decision.max_retries = config.max_retries;
  policy.decision.unknown_outcome = config.unknown_outcome;
  policy.decision.settle_ms = config.settle_ms;
  policy.decision.confirm_timeout_ms = config.confirm_timeout_ms;
  for (const Tier& tier : config.rate_limit)
    policy.decision.window_ms = std::max(policy.decision.window_ms, tier.window_ms);
  policy.decision.outcome.missing_id = config.missing_id;
  policy.decision.outcome.retryable_statuses = config.retryable_status;
  policy.decision.outcome.not_applied_statuses = config.not_applied_status;
  policy.workers = config.workers;
  // Handshakes of TLS are work for all of them.
  policy.connections_per_worker = config.endpoint->tls ? 1 : config.connections_per_worker;
  policy.in_flight_max = config.in_flight;
  policy.http_timeout_ms = config.http_timeout_ms;
  policy.unreachable_timeout_ms = config.unreachable_timeout_ms;
  policy.status_target = status_target;
  policy.lifetime = config.drain ? Lifetime::drain : Lifetime::for_ever;
  return policy;
}

WirePolicy wire_policy(const Config& config, const Clock& clock) {
  WirePolicy policy;
  policy.endpoint = *config.endpoint;
  policy.connect_timeout =
      std::chrono::ceil<std::chrono::milliseconds>(clock.real(config.connect_timeout_ms));
  policy.http_timeout =
      std::chrono::ceil<std::chrono::milliseconds>(clock.real(config.http_timeout_ms));
  policy.ca_file = config.ca_file;
  policy.token_file = config.token_file;
  policy.user_agent += "/" + std::string(program_version());
  return policy;
}

RequestFormat request_format() {
  return {create_target, status_target, lookup_target, create_body};
}

StorePolicy store_policy(const Config& config) {
  StorePolicy policy;
  policy.endpoint = config.endpoint->text();
  policy.tiers = config.rate_limit;
  policy.unknown_outcome = config.unknown_outcome;
  policy.max_retries = config.max_retries;
  policy.settle_ms = config.settle_ms;
  policy.key_lifetime_ms = config.key_lifetime_ms;
  policy.http_timeout_ms = config.http_timeout_ms;
  policy.late_arrival_ms = config.late_arrival_ms;
  policy.starts_on_hold = config.hold;
  return policy;
}

}  // namespace dl

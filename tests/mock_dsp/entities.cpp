#include "tests/mock_dsp/entities.h"

#include <algorithm>

namespace dl::mock {
namespace {

std::size_t index_of(JobKind kind) { return static_cast<std::size_t>(kind); }

std::string unique_id(JobKind kind, std::int64_t number) {
  constexpr std::array<std::string_view, std::size(kKinds)> kPrefixes = {"dsp_c", "dsp_g", "dsp_a"};
  return std::string(kPrefixes[index_of(kind)]) + std::to_string(number);
}

}  // namespace

std::string Entities::add(const Creation& creation, Micros decided_us, Ending ending) {
  Kind& kind = kinds_[index_of(creation.kind)];
  ++made_;
  std::string id = style_ == IdStyle::echo ? creation.entity : unique_id(creation.kind, made_);
  kind.by_dsp_id[id].push_back({decided_us, ending});
  if (!creation.external_id.empty()) kind.by_external_id[creation.external_id].push_back(id);
  return id;
}

const std::vector<Entities::Entity>& Entities::under(JobKind kind, std::string_view dsp_id) const {
  static const std::vector<Entity> kNone;
  const auto& by_dsp_id = kinds_[index_of(kind)].by_dsp_id;
  const auto found = by_dsp_id.find(dsp_id);
  return found == by_dsp_id.end() ? kNone : found->second;
}

EntityStatus Entities::status_of(JobKind kind, std::string_view dsp_id, Micros now_us) const {
  const std::vector<Entity>& entities = under(kind, dsp_id);
  if (entities.empty()) return EntityStatus::unknown;
  const auto undecided = [&](const Entity& entity) { return entity.decided_us > now_us; };
  if (std::any_of(entities.begin(), entities.end(), undecided)) return EntityStatus::pending;
  return entities.back().ending == Ending::success ? EntityStatus::success : EntityStatus::failed;
}

bool Entities::any_succeeded(JobKind kind, std::string_view dsp_id, Micros now_us) const {
  const std::vector<Entity>& entities = under(kind, dsp_id);
  return std::any_of(entities.begin(), entities.end(), [&](const Entity& entity) {
    return entity.decided_us <= now_us && entity.ending == Ending::success;
  });
}

std::vector<std::string> Entities::with_external_id(JobKind kind,
                                                    std::string_view external_id) const {
  const auto& by_external_id = kinds_[index_of(kind)].by_external_id;
  const auto found = by_external_id.find(external_id);
  return found == by_external_id.end() ? std::vector<std::string>{} : found->second;
}

}  // namespace dl::mock

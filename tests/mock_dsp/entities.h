// What exists at the mock DSP: entities by their DSP id and by external id. Pure: time is an
// argument. Thread rule: one owner.
#pragma once

#include <array>
#include <string>
#include <string_view>
#include <unordered_map>
#include <vector>

#include "storage/model/job.h"
#include "tests/mock_dsp/clock.h"

namespace dl::mock {

// Lets maps of std::string be asked with a std::string_view.
struct TextHash {
  using is_transparent = void;
  std::size_t operator()(std::string_view text) const noexcept {
    return std::hash<std::string_view>{}(text);
  }
};
template <class Value>
using TextMap = std::unordered_map<std::string, Value, TextHash, std::equal_to<>>;

// A POST's wish, as read from its body and headers.
struct Creation {
  JobKind kind = JobKind::campaign;
  std::string entity;       // the caller's id
  std::string parent;       // the DSP's id of the parent; empty for a campaign
  std::string external_id;  // empty: none
  std::string key;          // Idempotency-Key; empty: none
  std::size_t body_hash = 0;
};

enum class IdStyle {
  unique,  // dsp_c1, dsp_g2, dsp_a3, …
  echo,    // the caller's own id: two ad groups may then share one
};
enum class Ending { success, failed };
enum class EntityStatus { unknown, pending, success, failed };

class Entities {
 public:
  explicit Entities(IdStyle style) : style_(style) {}

  // Makes an entity whose processing ends at `decided_us`. Returns its DSP id.
  std::string add(const Creation& creation, Micros decided_us, Ending ending);

  // Where ids are echoed and several entities share one: pending while any is, then as the newest
  // ended.
  EntityStatus status_of(JobKind kind, std::string_view dsp_id, Micros now_us) const;
  bool any_succeeded(JobKind kind, std::string_view dsp_id, Micros now_us) const;
  // The DSP ids under one external id, oldest first.
  std::vector<std::string> with_external_id(JobKind kind, std::string_view external_id) const;

 private:
  struct Entity {
    Micros decided_us;
    Ending ending;
  };
  struct Kind {
    TextMap<std::vector<Entity>> by_dsp_id;
    TextMap<std::vector<std::string>> by_external_id;
  };
  const std::vector<Entity>& under(JobKind kind, std::string_view dsp_id) const;

  IdStyle style_;
  std::int64_t made_ = 0;
  std::array<Kind, std::size(kKinds)> kinds_;
};

}  // namespace dl::mock

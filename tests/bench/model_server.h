// The DSP of the policy simulator: entities that take their time, a limit, and keys that are
// honoured. Pure: time is an argument. Thread rule: one owner.
#pragma once

#include <array>
#include <cstdint>
#include <optional>
#include <vector>

#include "daemon/core/dsp.h"
#include "tests/bench/server_limit.h"
#include "tests/bench/workload.h"

namespace dl::bench {

class ModelServer {
 public:
  ModelServer(const Workload& workload, ServerLimit limit);

  enum class Asks { creation, status };
  struct Answer {
    DspReply reply;
    bool refused = false;
    bool finished = false;  // told that the entity is done
  };
  Answer arrive(int entity, Asks asks, Millis now);
  // What it allows from now on.
  void allow(ServerLimit limit) { limit_ = std::move(limit); }

 private:
  void create(int entity, Millis now);

  const Workload& workload_;
  ServerLimit limit_;
  std::vector<std::optional<Millis>> done_at_;  // by entity; nothing: not created
  std::array<Millis, 2> free_at_{};             // its servers, where there are two
};

}  // namespace dl::bench

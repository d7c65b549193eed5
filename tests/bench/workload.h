// What the benches submit: a forest of entities in the shape of one of the reference simulator's
// graphs, and how long the DSP takes to process each. Pure: a function of names and seed.
// Thread rule: plain values.
#pragma once

#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

#include "storage/model/moment.h"
#include "storage/model/rate_spec.h"
#include "storage/model/result.h"

namespace dl::bench {

inline constexpr std::string_view kShapeNames =
    "std 100x5x10, one 1x1x1000, wide 1x50x20, small 1000x1x1, skew (60 small and one 10x200), "
    "tiny 3x2x3, mini 1x2x3, or CAMPAIGNSxGROUPSxADS";
inline constexpr std::string_view kDistributionNames =
    "zero, fixed3 (3 s), unif (2 to 5 s), logn (median 4 s, sigma 1), bimodal (95 % 1 s, 5 % "
    "60 s), slow (median 300 s, sigma 0.5), slowheavy (sigma 1), up (unif, then 60 s for the "
    "second half), down (the reverse), queue (unif on two servers at the DSP)";

struct Entity {
  int level = 0;    // 0 campaign, 1 ad group, 2 ad
  int parent = -1;  // index; -1: a campaign
  int campaign = 0;
  Millis processing_ms = 0;
};

struct Workload {
  std::string name;
  std::vector<Entity> entities;    // in the order of a sheet: a parent in front of its children
  std::vector<int> campaign_size;  // entities of each campaign
  bool two_servers = false;        // "queue": the DSP works on two entities at a time
};

// Errors: usage, naming what there is.
Result<Workload> make_workload(std::string_view shape, std::string_view distribution,
                               std::uint64_t seed);

// The best mean completion of a campaign that anybody could reach: smallest campaign first, two
// requests an entity, no waiting but for the limit and for the longest chain of processing. (Not
// a strict bound where processing dominates.) `limit`: a slot is free W after its answer, and at
// most N/4 leave at once, as the daemon's do by default.
double best_mean_completion_ms(const Workload& workload, const Tier& limit, Millis round_trip_ms);

// 2 E W/N: two requests an entity at the full rate.
double least_makespan_ms(const Workload& workload, const Tier& limit);

// A bound on the makespan that knows every processing time: the longest chain, all requests through
// the limit at their earliest conceivable moments, and the same backwards from the end. It is what
// graphs are held against whose chains matter more than the rate.
double makespan_bound_ms(const Workload& workload, const Tier& limit, Millis round_trip_ms);

}  // namespace dl::bench

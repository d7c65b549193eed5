#include "tests/bench/workload.h"

#include <algorithm>
#include <charconv>
#include <cmath>
#include <numeric>
#include <optional>
#include <utility>

#include "tests/mock_dsp/random.h"

namespace dl::bench {
namespace {

using mock::Random;

struct Forest {
  Workload workload;

  void add_campaign(int groups, int ads) {
    const int campaign = static_cast<int>(workload.campaign_size.size());
    workload.campaign_size.push_back(0);
    const int root = add({0, -1, campaign});
    for (int g = 0; g < groups; ++g) {
      const int group = add({1, root, campaign});
      for (int a = 0; a < ads; ++a) add({2, group, campaign});
    }
  }

 private:
  int add(const Entity& entity) {
    workload.entities.push_back(entity);
    ++workload.campaign_size[static_cast<std::size_t>(entity.campaign)];
    return static_cast<int>(workload.entities.size()) - 1;
  }
};

struct Shape {
  int campaigns, groups, ads;
};

std::optional<Shape> shape_of(std::string_view text) {
  if (text == "std") return Shape{100, 5, 10};
  if (text == "one") return Shape{1, 1, 1000};
  if (text == "wide") return Shape{1, 50, 20};
  if (text == "small") return Shape{1000, 1, 1};
  if (text == "tiny") return Shape{3, 2, 3};
  if (text == "mini") return Shape{1, 2, 3};
  int numbers[3] = {};
  const char* at = text.data();
  const char* const end = text.data() + text.size();
  for (int i = 0; i < 3; ++i) {
    const auto [rest, trouble] = std::from_chars(at, end, numbers[i]);
    if (trouble != std::errc{} || numbers[i] < 1 || numbers[i] > 100'000) return std::nullopt;
    at = rest;
    if (i < 2 && (at == end || *at++ != 'x')) return std::nullopt;
  }
  if (at != end) return std::nullopt;
  return Shape{numbers[0], numbers[1], numbers[2]};
}

Forest forest_of(const Shape& shape) {
  Forest forest;
  for (int i = 0; i < shape.campaigns; ++i) forest.add_campaign(shape.groups, shape.ads);
  return forest;
}

// Sixty campaigns of 1 to 4 groups of 1 to 12 ads each, and a giant at the end.
Forest skewed_forest() {
  Forest forest;
  Random random(7);
  for (int i = 0; i < 60; ++i) {
    const int groups = 1 + static_cast<int>(random.below(4));
    forest.add_campaign(groups, 1 + static_cast<int>(random.below(12)));
  }
  forest.add_campaign(10, 200);
  return forest;
}

double lognormal_s(double median_s, double sigma, Random& random) {
  return median_s * std::exp(sigma * random.normal());
}
double quick_s(Random& random) { return 2 + 3 * random.uniform(); }
double minute_s(Random& random) { return lognormal_s(60, 0.5, random); }

// Seconds of processing. `place`: 0 for the first entity to 1 for the last. Nothing: no such name.
std::optional<double> sample_s(std::string_view name, Random& random, double place) {
  if (name == "zero") return 0;
  if (name == "fixed3") return 3;
  if (name == "unif" || name == "queue") return quick_s(random);
  if (name == "logn") return lognormal_s(4, 1, random);
  if (name == "bimodal") return random.uniform() < 0.95 ? 1 : 60;
  if (name == "slow") return lognormal_s(300, 0.5, random);
  if (name == "slowheavy") return lognormal_s(300, 1, random);
  if (name == "up") return place < 0.5 ? quick_s(random) : minute_s(random);
  if (name == "down") return place < 0.5 ? minute_s(random) : quick_s(random);
  return std::nullopt;
}

// A sliding log of answers behind a token bucket: the limit at its best.
class IdealLimit {
 public:
  IdealLimit(const Tier& tier, Millis round_trip_ms)
      : count_(static_cast<std::size_t>(tier.count)),
        window_(static_cast<double>(tier.window_ms)),
        round_trip_(static_cast<double>(round_trip_ms)),
        burst_(std::max(1.0, tier.count / 4.0)),
        tokens_(burst_) {}

  // Sends as soon as it may, not before `from`; the moment of the send.
  double send(double from) {
    const double rate = static_cast<double>(count_) / window_;
    double at = std::max(from, at_);
    if (answers_.size() >= count_) at = std::max(at, answers_[answers_.size() - count_] + window_);
    double tokens = std::min(burst_, tokens_ + (at - at_) * rate);
    if (tokens < 1) {
      at += (1 - tokens) / rate;
      tokens = 1;
    }
    tokens_ = tokens - 1;
    at_ = at;
    answers_.push_back(at + round_trip_);
    return at;
  }

 private:
  std::size_t count_;
  double window_, round_trip_, burst_, tokens_;
  double at_ = 0;
  std::vector<double> answers_;
};

// From its first POST to its last answer, were there no limit.
std::vector<double> done_without_limit(const Workload& workload, double round_trip) {
  std::vector<double> done(workload.entities.size());
  for (std::size_t i = 0; i < done.size(); ++i) {
    const Entity& entity = workload.entities[i];
    const double from = entity.parent < 0 ? 0 : done[static_cast<std::size_t>(entity.parent)];
    done[i] = from + std::max(round_trip, static_cast<double>(entity.processing_ms)) + round_trip;
  }
  return done;
}

// The longest chain of each campaign.
std::vector<double> longest_chains(const Workload& workload, double round_trip) {
  const std::vector<double> done = done_without_limit(workload, round_trip);
  std::vector<double> longest(workload.campaign_size.size());
  for (std::size_t i = 0; i < done.size(); ++i) {
    double& chain = longest[static_cast<std::size_t>(workload.entities[i].campaign)];
    chain = std::max(chain, done[i]);
  }
  return longest;
}

// When the last of these is answered, each sent at its moment or as soon after as the limit lets
// it.
double last_answer_ms(std::vector<double> moments, const Tier& limit, Millis round_trip_ms) {
  std::ranges::sort(moments);
  IdealLimit ideal(limit, round_trip_ms);
  double sent = 0;
  for (const double moment : moments) sent = ideal.send(moment);
  return sent + static_cast<double>(round_trip_ms);
}

}  // namespace

Result<Workload> make_workload(std::string_view shape, std::string_view distribution,
                               std::uint64_t seed) {
  const std::optional<Shape> regular = shape_of(shape);
  if (!regular && shape != "skew") {
    return Error{Errc::usage, "no such shape: \"" + std::string(shape) + "\"; there are " +
                                  std::string(kShapeNames)};
  }
  Workload workload = (regular ? forest_of(*regular) : skewed_forest()).workload;
  workload.name = std::string(shape) + " " + std::string(distribution);
  workload.two_servers = distribution == "queue";
  Random random(1'000 + seed);
  const auto n = static_cast<double>(workload.entities.size());
  for (std::size_t i = 0; i < workload.entities.size(); ++i) {
    const std::optional<double> seconds =
        sample_s(distribution, random, static_cast<double>(i) / n);
    if (!seconds) {
      return Error{Errc::usage, "no such processing: \"" + std::string(distribution) +
                                    "\"; there are " + std::string(kDistributionNames)};
    }
    workload.entities[i].processing_ms = std::llround(*seconds * 1'000);
  }
  return workload;
}

double best_mean_completion_ms(const Workload& workload, const Tier& limit, Millis round_trip_ms) {
  const auto round_trip = static_cast<double>(round_trip_ms);
  const std::vector<double> chains = longest_chains(workload, round_trip);
  std::vector<std::size_t> order(workload.campaign_size.size());
  std::iota(order.begin(), order.end(), std::size_t{0});
  std::stable_sort(order.begin(), order.end(), [&](std::size_t a, std::size_t b) {
    return workload.campaign_size[a] < workload.campaign_size[b];
  });
  IdealLimit ideal(limit, round_trip_ms);
  double sum = 0;
  for (const std::size_t campaign : order) {
    double sent = 0;
    for (int i = 0; i < 2 * workload.campaign_size[campaign]; ++i) sent = ideal.send(0);
    sum += std::max(sent + round_trip, chains[campaign]);
  }
  return sum / static_cast<double>(order.size());
}

double least_makespan_ms(const Workload& workload, const Tier& limit) {
  return 2.0 * static_cast<double>(workload.entities.size()) *
         static_cast<double>(limit.window_ms) / limit.count;
}

double makespan_bound_ms(const Workload& workload, const Tier& limit, Millis round_trip_ms) {
  const auto round_trip = static_cast<double>(round_trip_ms);
  const std::vector<double> done = done_without_limit(workload, round_trip);
  std::vector<double> after(done.size());  // the least that still follows an entity's end
  std::vector<double> from_start;
  std::vector<double> from_end;
  for (std::size_t i = done.size(); i-- > 0;) {  // children in front of their parents
    const Entity& entity = workload.entities[i];
    const double takes = std::max(round_trip, static_cast<double>(entity.processing_ms));
    from_start.push_back(done[i] - takes - round_trip);  // its POST
    from_start.push_back(done[i] - round_trip);          // its poll
    from_end.push_back(after[i] + takes);
    from_end.push_back(after[i]);
    if (entity.parent < 0) continue;
    double& rest = after[static_cast<std::size_t>(entity.parent)];
    rest = std::max(rest, after[i] + takes + round_trip);
  }
  return std::max({*std::ranges::max_element(done),
                   last_answer_ms(std::move(from_start), limit, round_trip_ms),
                   last_answer_ms(std::move(from_end), limit, round_trip_ms)});
}

}  // namespace dl::bench

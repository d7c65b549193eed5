#include "tests/bench/figures.h"

#include <algorithm>
#include <cmath>
#include <map>

namespace dl::bench {

std::int64_t most_in_window(const std::vector<double>& moments, double window) {
  std::size_t most = 0;
  for (std::size_t first = 0, last = 0; last < moments.size(); ++last) {
    while (moments[last] - moments[first] >= window) ++first;
    most = std::max(most, last - first + 1);
  }
  return static_cast<std::int64_t>(most);
}

Figures judge(std::vector<Exchange> exchanges, const Tier& limit) {
  Figures figures;
  if (exchanges.empty()) return figures;
  std::ranges::sort(exchanges, {}, &Exchange::arrived);
  const double begin = exchanges.front().arrived;
  std::vector<double> arrivals;
  std::map<int, double> completed;  // campaign -> its last news
  std::int64_t refused = 0;
  for (const Exchange& exchange : exchanges) {
    arrivals.push_back(exchange.arrived);
    figures.makespan_ms = std::max(figures.makespan_ms, exchange.answered - begin);
    refused += exchange.refused ? 1 : 0;
    if (!exchange.finished) continue;
    ++figures.entities;
    double& last = completed[exchange.campaign];
    last = std::max(last, exchange.answered - begin);
  }
  const auto requests = static_cast<double>(exchanges.size());
  figures.requests = static_cast<std::int64_t>(exchanges.size());
  figures.per_entity = requests / static_cast<double>(std::max<std::int64_t>(1, figures.entities));
  for (const auto& [campaign, at] : completed) figures.mean_completion_ms += at;
  if (!completed.empty()) figures.mean_completion_ms /= static_cast<double>(completed.size());
  const auto window = static_cast<double>(limit.window_ms);
  figures.most_in_window = most_in_window(arrivals, window);
  // Whole windows, for inside one the requests come in bursts; not the first, which starts with
  // one.
  const double from = begin + window;
  const double windows = std::floor((arrivals.back() - from) / window);
  const auto steady = std::ranges::lower_bound(arrivals, from + windows * window) -
                      std::ranges::lower_bound(arrivals, from);
  if (windows > 0) figures.use = static_cast<double>(steady) / (limit.count * windows);
  figures.refused = static_cast<double>(refused) / requests;
  return figures;
}

}  // namespace dl::bench

#include "tests/mock_dsp/processing.h"

#include <algorithm>
#include <charconv>
#include <cmath>
#include <vector>

#include "storage/model/duration.h"

namespace dl::mock {
namespace {

std::vector<std::string_view> split(std::string_view text, char separator) {
  std::vector<std::string_view> parts;
  for (std::size_t begin = 0; begin <= text.size();) {
    const std::size_t end = std::min(text.find(separator, begin), text.size());
    parts.push_back(text.substr(begin, end - begin));
    begin = end + 1;
  }
  return parts;
}

Error wrong(std::string_view text, std::string_view why) {
  return {Errc::usage, "--processing: \"" + std::string(text) + "\" " + std::string(why) +
                           "; the forms are " + std::string(kProcessingForms)};
}

bool parse_sigma(std::string_view text, double& sigma) {
  const auto [rest, trouble] = std::from_chars(text.data(), text.data() + text.size(), sigma);
  return trouble == std::errc{} && rest == text.data() + text.size() && sigma >= 0 && sigma <= 5;
}

}  // namespace

Result<Processing> parse_processing(std::string_view text) {
  using Shape = Processing::Shape;
  const std::vector<std::string_view> parts = split(text, ':');
  if (text == "zero") return Processing{};
  if (text == "bimodal") return Processing{.shape = Shape::bimodal};
  if (text == "slow") return Processing{Shape::lognormal, 300'000'000, 0, 0.5};
  const bool fixed = parts[0] == "fixed" && parts.size() == 2;
  const bool uniform = parts[0] == "uniform" && parts.size() == 3;
  const bool lognormal = parts[0] == "lognormal" && parts.size() == 3;
  if (!fixed && !uniform && !lognormal) return wrong(text, "is not a form of processing time");

  const Result<Millis> from = parse_duration(parts[1]);
  if (!from) return wrong(text, "holds a bad time: " + from.error().message);
  Processing processing{.from_us = *from * 1'000};
  if (uniform) {
    const Result<Millis> to = parse_duration(parts[2]);
    if (!to) return wrong(text, "holds a bad time: " + to.error().message);
    if (*to < *from) return wrong(text, "ends before it begins");
    processing.shape = Shape::uniform;
    processing.to_us = *to * 1'000;
  }
  if (lognormal) {
    processing.shape = Shape::lognormal;
    if (!parse_sigma(parts[2], processing.sigma)) return wrong(text, "needs a sigma from 0 to 5");
  }
  return processing;
}

Micros Processing::sample(Random& random) const {
  const auto from = static_cast<double>(from_us);
  switch (shape) {
    case Shape::fixed: return from_us;
    case Shape::uniform:
      return from_us + std::llround(random.uniform() * static_cast<double>(to_us - from_us));
    case Shape::lognormal: {
      constexpr double kLongest_us = static_cast<double>(kLongestDuration) * 1'000;
      return std::llround(std::min(kLongest_us, from * std::exp(sigma * random.normal())));
    }
    case Shape::bimodal: return random.uniform() < 0.95 ? 1'000'000 : 60'000'000;
  }
  return 0;
}

}  // namespace dl::mock

// How long the mock says "pending" about a new entity. Pure. Thread rule: one owner of each value.
#pragma once

#include <string_view>

#include "storage/model/result.h"
#include "tests/mock_dsp/clock.h"
#include "tests/mock_dsp/random.h"

namespace dl::mock {

inline constexpr std::string_view kProcessingForms =
    "zero, fixed:3s, uniform:2s:5s, lognormal:4s:1 (median:sigma), "
    "bimodal (95 % 1 s, 5 % 60 s), slow (lognormal:300s:0.5)";

struct Processing {
  enum class Shape { fixed, uniform, lognormal, bimodal };
  Shape shape = Shape::fixed;
  Micros from_us = 0;  // fixed: the time; uniform: the shortest; lognormal: the median
  Micros to_us = 0;    // uniform: the longest
  double sigma = 0;    // lognormal

  // One entity's time on the mock's clock, at most ten years.
  Micros sample(Random& random) const;
};

// One of kProcessingForms. Errors: usage, naming the text and the forms.
Result<Processing> parse_processing(std::string_view text);

}  // namespace dl::mock

// What is fuzzed: one function a target, which takes any bytes whatever and aborts (DL_CHECK, a
// sanitizer, a crash) where the product does not do what it promises. "Does not crash" is the least
// of it: each target states its invariants at the head of its file. The same functions are driven
// by libFuzzer (engine/) and, over the kept corpus, by every ordinary build of the tests. Thread
// rule: one thread; a target may keep state between calls only where it cannot be seen.
#pragma once

#include <string_view>

namespace dl::fuzz {

void csv(std::string_view input);         // a sheet
void json(std::string_view input);        // JSON and JSON Lines
void answer(std::string_view input);      // the JSON of an answer
void http(std::string_view input);        // all that a DSP sends on a connection
void connection(std::string_view input);  // the same over a real socket
void retry_after_and_rate(
    std::string_view input);              // Retry-After, rate limits, durations, endpoints
void sql_guards(std::string_view input);  // an operator's SQL

struct Target {
  std::string_view name;  // of its folder in corpus/
  void (*run)(std::string_view input);
};
inline constexpr Target kTargets[] = {
    {"csv", csv},
    {"json", json},
    {"answer", answer},
    {"http", http},
    {"connection", connection},
    {"retry_after_and_rate", retry_after_and_rate},
    {"sql_guards", sql_guards},
};

}  // namespace dl::fuzz

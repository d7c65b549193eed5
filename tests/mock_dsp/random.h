// A small random number generator whose numbers follow from its seed alone, on every machine and
// with every standard library. Thread rule: one owner.
#pragma once

#include <cmath>
#include <cstdint>
#include <numbers>
#include <string_view>

namespace dl::mock {

// The finaliser of splitmix64: every bit of the result depends on every bit of `x`.
constexpr std::uint64_t mixed(std::uint64_t x) {
  x = (x ^ (x >> 30)) * 0xbf58476d1ce4e5b9u;
  x = (x ^ (x >> 27)) * 0x94d049bb133111ebu;
  return x ^ (x >> 31);
}

// The same 64 bits for the same text everywhere (FNV-1a, mixed).
constexpr std::uint64_t hash_of(std::string_view text, std::uint64_t seed = 0) {
  std::uint64_t hash = 0xcbf29ce484222325u ^ mixed(seed);
  for (const char c : text) hash = (hash ^ static_cast<unsigned char>(c)) * 0x100000001b3u;
  return mixed(hash);
}

// The upper 53 bits as a number in [0, 1).
constexpr double unit_interval(std::uint64_t bits) {
  return static_cast<double>(bits >> 11) * 0x1.0p-53;
}

class Random {
 public:
  explicit Random(std::uint64_t seed) : state_(mixed(seed)) {}

  std::uint64_t bits() { return mixed(state_ += 0x9e3779b97f4a7c15u); }
  double uniform() { return unit_interval(bits()); }  // [0, 1)
  std::uint64_t below(std::uint64_t bound) {          // [0, bound); `bound` > 0
    return static_cast<std::uint64_t>(uniform() * static_cast<double>(bound));
  }
  double normal() {  // mean 0, deviation 1 (Box and Muller)
    const double radius = std::sqrt(-2 * std::log(1 - uniform()));
    return radius * std::cos(2 * std::numbers::pi * uniform());
  }

 private:
  std::uint64_t state_;
};

}  // namespace dl::mock

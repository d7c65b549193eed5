#include "ingest/progress.h"

#include <unistd.h>

#include <algorithm>
#include <cstdio>

namespace dl {
namespace {

constexpr std::chrono::milliseconds kPatience{500};  // shorter work needs no bar
constexpr std::chrono::milliseconds kBetween{100};
constexpr int kWidth = 30;

}  // namespace

Progress::Progress(std::string name, std::int64_t total_bytes)
    : name_(std::move(name)),
      total_bytes_(std::max<std::int64_t>(total_bytes, 1)),
      next_(std::chrono::steady_clock::now() + kPatience),
      on_terminal_(::isatty(STDERR_FILENO) == 1) {}

Progress::~Progress() {
  if (drawn_) std::fputs("\r\x1b[K", stderr);
}

void Progress::show(std::string_view doing, std::int64_t done_bytes) {
  if (!on_terminal_) return;
  const auto now = std::chrono::steady_clock::now();
  if (now < next_) return;
  next_ = now + kBetween;
  const auto percent =
      static_cast<int>(std::min<std::int64_t>(100, done_bytes * 100 / total_bytes_));
  const std::string bar(static_cast<std::size_t>(percent * kWidth / 100), '#');
  std::fprintf(stderr, "\r\x1b[K%s: %.*s [%-*s] %d %%", name_.c_str(),
               static_cast<int>(doing.size()), doing.data(), kWidth, bar.c_str(), percent);
  std::fflush(stderr);
  drawn_ = true;
}

}  // namespace dl

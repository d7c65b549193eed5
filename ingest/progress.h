// A progress bar on a terminal, for long files; nothing elsewhere and nothing for short ones.
// Thread rule: one thread.
#pragma once

#include <chrono>
#include <cstdint>
#include <string>

namespace dl {

class Progress {
 public:
  // `total_bytes`: of all passes together. Draws on stderr if that is a terminal.
  Progress(std::string name, std::int64_t total_bytes);
  ~Progress();  // takes the bar away
  Progress(const Progress&) = delete;
  Progress& operator=(const Progress&) = delete;

  void show(std::string_view doing, std::int64_t done_bytes);

 private:
  std::string name_;
  std::int64_t total_bytes_;
  std::chrono::steady_clock::time_point next_;
  bool on_terminal_;
  bool drawn_ = false;
};

}  // namespace dl

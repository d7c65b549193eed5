// The log on stderr, and the live progress line that shares the terminal with it. One call, one
// line, written by one write(2) before the call returns, or with what belongs Together: a crash
// loses nothing that was logged before. An asynchronous logger would. The only door to spdlog.
// Thread rule: every function may be called from any thread. Ownership: made in main and handed to
// the parts by reference; outlives them.
#pragma once

#include <initializer_list>
#include <memory>
#include <string_view>

#include "daemon/config.h"
#include "daemon/log_line.h"

namespace dl {

// What `automatic` comes to: journal where `fd` is the stream that journald gave us
// ($JOURNAL_STREAM), else text. Any other format stays.
LogFormat resolve_log_format(LogFormat wanted, const Environment& environment, int fd);
// What `automatic` comes to: plain where `fd` is a terminal, else none.
ProgressStyle resolve_progress(ProgressStyle wanted, int fd);

class Log {
 public:
  // `fd`: where the lines go, 2 in the program; stays the caller's. `format`, `progress`: not
  // automatic.
  Log(int fd, LogFormat format, LogLevel least, ProgressStyle progress);
  ~Log();
  Log(const Log&) = delete;
  Log& operator=(const Log&) = delete;

  // Whether lines of this level are written.
  bool shows(LogLevel level) const;
  void debug(std::string_view message, std::initializer_list<LogField> fields = {});
  void info(std::string_view message, std::initializer_list<LogField> fields = {});
  void warning(std::string_view message, std::initializer_list<LogField> fields = {});
  void error(std::string_view message, std::initializer_list<LogField> fields = {});

  // One line for one outcome, message "request".
  void outcome(LogLevel level, const OutcomeLine& line);

  // While one lives, lines are gathered; its end writes them by one write(2). For what one turn of
  // the event loop has to say: at 20,000 outcomes a second a system call each is a tenth of a core.
  class Together {
   public:
    explicit Together(Log& log);
    ~Together();
    Together(const Together&) = delete;
    Together& operator=(const Together&) = delete;

   private:
    Log& log_;
  };

  // Draws `text` as the last line of the terminal, in place of the one before; log lines go above
  // it. An empty text takes it away. Nothing happens where progress is none.
  void show_progress(std::string_view text);

 private:
  void write(LogLevel level, std::string_view message, std::span<const LogField> fields);

  struct Impl;
  std::unique_ptr<Impl> impl_;
};

}  // namespace dl

#include "daemon/log.h"

#include <spdlog/logger.h>
#include <spdlog/sinks/base_sink.h>
#include <sys/ioctl.h>
#include <sys/stat.h>
#include <unistd.h>

#include <cerrno>
#include <chrono>
#include <mutex>
#include <string>

#include "daemon/escape.h"

namespace dl {
namespace {

constexpr std::string_view kEraseLine = "\r\x1b[K";

// A log that cannot be written must not stop the daemon: what does not go out is dropped.
void write_all(int fd, std::string_view text) {
  while (!text.empty()) {
    const ssize_t written = ::write(fd, text.data(), text.size());
    if (written < 0 && errno == EINTR) continue;
    if (written <= 0) return;
    text.remove_prefix(static_cast<std::size_t>(written));
  }
}

// At most `columns` code points: a line that wraps could not be erased.
std::string_view shorten(std::string_view text, std::size_t columns) {
  std::size_t seen = 0;
  for (std::size_t i = 0; i < text.size(); ++i) {
    const bool begins = (static_cast<unsigned char>(text[i]) & 0xC0U) != 0x80U;
    if (begins && seen++ == columns) return text.substr(0, i);
  }
  return text;
}

std::size_t columns_of(int fd) {
  winsize size = {};
  const bool known = ::ioctl(fd, TIOCGWINSZ, &size) == 0 && size.ws_col > 1;
  return known ? static_cast<std::size_t>(size.ws_col - 1) : 79;
}

// spdlog hands over the finished line; its mutex also keeps the progress line whole.
class TerminalSink : public spdlog::sinks::base_sink<std::mutex> {
 public:
  explicit TerminalSink(int fd) : fd_(fd) {}

  void show(std::string_view text) {
    const std::lock_guard<std::mutex> lock(mutex_);
    if (text == progress_) return;
    write_gathered();
    std::string drawing = erased();
    progress_ = text;
    drawing += shorten(progress_, columns_of(fd_));
    write_all(fd_, drawing);
  }

  void gather() {
    const std::lock_guard<std::mutex> lock(mutex_);
    gathers_ = true;
  }
  void end_gathering() {
    const std::lock_guard<std::mutex> lock(mutex_);
    gathers_ = false;
    write_gathered();
  }

 protected:
  void sink_it_(const spdlog::details::log_msg& message) override {
    gathered_.append(message.payload.data(), message.payload.size());
    if (!gathers_) write_gathered();
  }
  void flush_() override {}

 private:
  std::string erased() const { return std::string(progress_.empty() ? "" : kEraseLine); }

  void write_gathered() {
    if (gathered_.empty()) return;
    if (progress_.empty()) {
      write_all(fd_, gathered_);
    } else {
      std::string drawing = erased() + gathered_;
      drawing += shorten(progress_, columns_of(fd_));
      write_all(fd_, drawing);
    }
    gathered_.clear();
  }

  const int fd_;
  std::string progress_;
  std::string gathered_;  // lines not yet written
  bool gathers_ = false;
};

spdlog::level::level_enum level_of(LogLevel level) {
  switch (level) {
    case LogLevel::debug: return spdlog::level::debug;
    case LogLevel::info: return spdlog::level::info;
    case LogLevel::warning: return spdlog::level::warn;
    case LogLevel::error: return spdlog::level::err;
  }
  DL_CHECK(false, "an unknown log level");
}

}  // namespace

LogFormat resolve_log_format(LogFormat wanted, const Environment& environment, int fd) {
  if (wanted != LogFormat::automatic) return wanted;
  const auto stream = environment.find("JOURNAL_STREAM");
  struct stat info = {};
  if (stream == environment.end() || ::fstat(fd, &info) != 0) return LogFormat::text;
  const std::string ours = std::to_string(info.st_dev) + ":" + std::to_string(info.st_ino);
  return stream->second == ours ? LogFormat::journal : LogFormat::text;
}

ProgressStyle resolve_progress(ProgressStyle wanted, int fd) {
  if (wanted != ProgressStyle::automatic) return wanted;
  return ::isatty(fd) == 1 ? ProgressStyle::plain : ProgressStyle::none;
}

struct Log::Impl {
  Impl(int fd, LogFormat wanted_format, LogLevel least, ProgressStyle wanted_progress)
      : format(wanted_format),
        progress(wanted_progress),
        sink(std::make_shared<TerminalSink>(fd)),
        logger("dl-daemon", sink) {
    logger.set_level(level_of(least));
  }

  const LogFormat format;
  const ProgressStyle progress;
  const std::shared_ptr<TerminalSink> sink;
  spdlog::logger logger;
};

Log::Log(int fd, LogFormat format, LogLevel least, ProgressStyle progress)
    : impl_(std::make_unique<Impl>(fd, format, least, progress)) {
  DL_CHECK(format != LogFormat::automatic, "the log's format is decided before it is made");
  DL_CHECK(progress != ProgressStyle::automatic, "so is the progress line's");
}

Log::~Log() { impl_->sink->show(""); }  // the shell's prompt comes next

void Log::write(LogLevel level, std::string_view message, std::span<const LogField> fields) {
  const spdlog::level::level_enum spdlog_level = level_of(level);
  if (!impl_->logger.should_log(spdlog_level)) return;
  const auto now = std::chrono::system_clock::now().time_since_epoch();
  const auto wall_ms = std::chrono::duration_cast<std::chrono::milliseconds>(now).count();
  const std::string line = render_line(impl_->format, wall_ms, level, message, fields);
  impl_->logger.log(spdlog_level, spdlog::string_view_t(line.data(), line.size()));
}

bool Log::shows(LogLevel level) const { return impl_->logger.should_log(level_of(level)); }

void Log::debug(std::string_view message, std::initializer_list<LogField> fields) {
  write(LogLevel::debug, message, std::span(fields.begin(), fields.size()));
}
void Log::info(std::string_view message, std::initializer_list<LogField> fields) {
  write(LogLevel::info, message, std::span(fields.begin(), fields.size()));
}
void Log::warning(std::string_view message, std::initializer_list<LogField> fields) {
  write(LogLevel::warning, message, std::span(fields.begin(), fields.size()));
}
void Log::error(std::string_view message, std::initializer_list<LogField> fields) {
  write(LogLevel::error, message, std::span(fields.begin(), fields.size()));
}

Log::Together::Together(Log& log) : log_(log) { log_.impl_->sink->gather(); }
Log::Together::~Together() { log_.impl_->sink->end_gathering(); }

void Log::outcome(LogLevel level, const OutcomeLine& line) {
  if (!impl_->logger.should_log(level_of(level))) return;
  write(level, "request", fields_of(line));
}

void Log::show_progress(std::string_view text) {
  if (impl_->progress == ProgressStyle::plain) impl_->sink->show(escaped(text));
}

}  // namespace dl

#include "daemon/log_line.h"

#include <cstdio>
#include <ctime>

#include "daemon/escape.h"
#include "storage/model/check.h"

namespace dl {
namespace {

struct LevelNames {
  std::string_view name;
  std::string_view padded;
  std::string_view journal;  // syslog's priority, as journald reads it from a line's front
};

const LevelNames& names_of(LogLevel level) {
  static constexpr LevelNames kNames[] = {
      {"debug", "debug  ", "<7>"},
      {"info", "info   ", "<6>"},
      {"warning", "warning", "<4>"},
      {"error", "error  ", "<3>"},
  };
  return kNames[static_cast<int>(level)];
}

std::string timestamp(std::int64_t wall_ms) {
  const auto seconds = static_cast<std::time_t>(wall_ms / 1'000);
  std::tm parts = {};
  gmtime_r(&seconds, &parts);
  char date[32];
  const std::size_t length = std::strftime(date, sizeof date, "%Y-%m-%dT%H:%M:%S", &parts);
  char fraction[16];
  std::snprintf(fraction, sizeof fraction, ".%03dZ", static_cast<int>(wall_ms % 1'000));
  return std::string(date, length) + fraction;
}

// A value that reads as one word stands bare.
std::string in_text(std::string_view value) {
  const bool bare = !value.empty() && value.find_first_of(" \"=\\") == std::string_view::npos;
  std::string quotes = in_quotes(value);
  return bare && quotes.size() == value.size() + 2 ? std::string(value) : quotes;
}

std::string words(std::string_view message, std::span<const LogField> fields) {
  std::string line = escaped(message);
  for (const LogField& field : fields) {
    line += ' ';
    line += field.name;
    line += '=';
    const auto* number = std::get_if<std::int64_t>(&field.value);
    line += number != nullptr ? std::to_string(*number)
                              : in_text(std::get<std::string_view>(field.value));
  }
  return line;
}

std::string object(std::int64_t wall_ms, LogLevel level, std::string_view message,
                   std::span<const LogField> fields) {
  std::string line = "{\"time\":" + in_quotes(timestamp(wall_ms));
  line += ",\"level\":" + in_quotes(names_of(level).name) + ",\"message\":" + in_quotes(message);
  for (const LogField& field : fields) {
    line += "," + in_quotes(field.name) + ":";
    const auto* number = std::get_if<std::int64_t>(&field.value);
    line += number != nullptr ? std::to_string(*number)
                              : in_quotes(std::get<std::string_view>(field.value));
  }
  return line + "}";
}

}  // namespace

std::vector<LogField> fields_of(const OutcomeLine& line) {
  std::vector<LogField> fields = {{"job", line.job.value},
                                  {"key", line.key},
                                  {"attempt", line.attempt},
                                  {"purpose", line.purpose}};
  if (line.http_status != 0) fields.push_back({"status", line.http_status});
  fields.push_back({"outcome", line.outcome});
  fields.push_back({"latency_ms", line.latency_us / 1'000});
  fields.push_back({"state", line.next_state});
  if (!line.error.empty()) fields.push_back({"error", line.error});
  return fields;
}

std::string render_line(LogFormat format, std::int64_t wall_ms, LogLevel level,
                        std::string_view message, std::span<const LogField> fields) {
  switch (format) {
    case LogFormat::text:
      return timestamp(wall_ms) + ' ' + std::string(names_of(level).padded) + ' ' +
             words(message, fields) + '\n';
    case LogFormat::journal:
      return std::string(names_of(level).journal) + words(message, fields) + '\n';
    case LogFormat::json: return object(wall_ms, level, message, fields) + '\n';
    case LogFormat::automatic: break;
  }
  DL_CHECK(false, "the log's format is decided before its first line");
}

}  // namespace dl

#include "daemon/log_line.h"

#include <algorithm>
#include <chrono>

#include "daemon/escape.h"
#include "storage/model/check.h"

namespace dl {
namespace {

std::string_view padded_name(LogLevel level) {
  switch (level) {
    case LogLevel::debug: return "debug  ";
    case LogLevel::info: return "info   ";
    case LogLevel::warning: return "warning";
    case LogLevel::error: return "error  ";
  }
  return "";
}

// Syslog's, as journald reads it from a line's front.
std::string_view priority(LogLevel level) {
  switch (level) {
    case LogLevel::debug: return "<7>";
    case LogLevel::info: return "<6>";
    case LogLevel::warning: return "<4>";
    case LogLevel::error: return "<3>";
  }
  return "";
}

// By hand: strftime and snprintf were a quarter of what a line costs, and each request has one.
std::string timestamp(std::int64_t wall_ms) {
  using namespace std::chrono;
  const sys_time<milliseconds> moment{milliseconds{wall_ms}};
  const auto day = floor<days>(moment);
  const year_month_day date{day};
  const hh_mm_ss time{moment - day};
  std::string text = "0000-00-00T00:00:00.000Z";
  const auto put = [&text](std::size_t at, std::size_t digits, std::int64_t value) {
    for (std::size_t i = digits; i-- > 0; value /= 10)
      text[at + i] = static_cast<char>('0' + value % 10);
  };
  put(0, 4, static_cast<int>(date.year()));
  put(5, 2, static_cast<unsigned>(date.month()));
  put(8, 2, static_cast<unsigned>(date.day()));
  put(11, 2, time.hours().count());
  put(14, 2, time.minutes().count());
  put(17, 2, time.seconds().count());
  put(20, 3, time.subseconds().count());
  return text;
}

// A value that reads as one word stands bare.
std::string in_text(std::string_view value) {
  const auto is_plain = [](char c) {
    return c > ' ' && c <= '~' && c != '"' && c != '=' && c != '\\';
  };
  if (!value.empty() && std::all_of(value.begin(), value.end(), is_plain))
    return std::string(value);
  const bool bare = !value.empty() && value.find_first_of(" \"=\\") == std::string_view::npos;
  std::string quotes = in_quotes(value);  // longer where it had to be escaped
  return bare && quotes.size() == value.size() + 2 ? std::string(value) : quotes;
}

std::string words(std::string_view message, std::span<const LogField> fields) {
  std::string line;
  line.reserve(192);
  line += escaped(message);
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
  line +=
      ",\"level\":" + in_quotes(name_in(kLogLevels, level)) + ",\"message\":" + in_quotes(message);
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
  std::vector<LogField> fields;
  fields.reserve(9);
  fields.push_back({"job", line.job.value});
  fields.push_back({"key", line.key});
  fields.push_back({"attempt", line.attempt});
  fields.push_back({"purpose", line.purpose});
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
      return timestamp(wall_ms) + ' ' + std::string(padded_name(level)) + ' ' +
             words(message, fields) + '\n';
    case LogFormat::journal: return std::string(priority(level)) + words(message, fields) + '\n';
    case LogFormat::json: return object(wall_ms, level, message, fields) + '\n';
    case LogFormat::automatic: break;
  }
  DL_CHECK(false, "the log's format is decided before its first line");
}

}  // namespace dl

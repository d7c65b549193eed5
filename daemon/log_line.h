// One log line as text: for people, for journald, or as a JSON object. Whatever a DSP, a file or an
// operator put into a message, it stays one line and, in JSON, valid. Pure; callable from any
// thread.
#pragma once

#include <cstdint>
#include <span>
#include <string>
#include <string_view>
#include <variant>
#include <vector>

#include "daemon/config.h"
#include "storage/model/ids.h"

namespace dl {

struct LogField {
  std::string_view name;  // snake_case, ours
  std::variant<std::string_view, std::int64_t> value;
};

// How a request ended and what became of its job: one line each, the log's counterpart of a ledger
// row.
struct OutcomeLine {
  JobId job;
  std::string_view key;  // of the job: cmp_1/ag_7
  int attempt = 0;
  std::string_view purpose;     // create, resubmit, status, lookup
  int http_status = 0;          // 0: none came
  std::string_view outcome;     // class of the answer
  std::int64_t latency_us = 0;  // first byte out to last byte in, or to giving up
  std::string_view next_state;  // of the job
  std::string_view error;       // in words; empty: none
};
std::vector<LogField> fields_of(const OutcomeLine& line);

// `format`: not automatic. `wall_ms`: milliseconds UTC since 1970. Ends with '\n'.
//   text     2025-07-01T12:00:00.123Z warning request job=7 key=cmp_1 error="no such ad"
//   json     {"time":"2025-07-01T12:00:00.123Z","level":"warning","message":"request","job":7,…}
//   journal  <4>request job=7 key=cmp_1 error="no such ad"
std::string render_line(LogFormat format, std::int64_t wall_ms, LogLevel level,
                        std::string_view message, std::span<const LogField> fields);

}  // namespace dl

#include "daemon/debug_lines.h"

#include <cstdlib>

namespace dl {
namespace {

constexpr Millis kSoon = 1'000;   // a request that goes within it is not announced
constexpr Millis kTheSame = 100;  // so far apart the moments of one permit are reckoned

std::string_view name_of(Wire wire) {
  switch (wire) {
    case Wire::not_sent: return "not_sent";
    case Wire::no_answer: return "no_answer";
    case Wire::answered: return "answered";
  }
  return "?";
}

std::string_view yes_or_no(bool is) { return is ? "yes" : "no"; }

}  // namespace

void DebugLines::say(const input::TablesChanged&) { log_.debug("somebody else has committed"); }

void DebugLines::say(const command::LoadWork& load) {
  log_.debug("loading work", {{"ready_max", load.limits.ready}, {"timed_max", load.limits.timed}});
}

// "all": the table has no more than that.
void DebugLines::say(const input::Loaded& loaded) {
  const LoadedWork& work = loaded.work;
  log_.debug("work loaded", {{"ready", std::ssize(work.ready)},
                             {"ready_all", yes_or_no(work.ready_complete)},
                             {"timed", std::ssize(work.timed)},
                             {"timed_all", yes_or_no(work.timed_complete)}});
  if (work.account.gate_boot_ms != 0) paused_until_boot_ms_ = work.account.gate_boot_ms;
}

void DebugLines::say(const input::Committed& committed) {
  for (const Refused& refused : committed.result.refused) {
    log_.debug("permit refused by the tables", {{"job", refused.job.value}, {"why", refused.why}});
  }
}

void DebugLines::say(const command::Connect& connect) {
  log_.debug("connecting", {{"worker", connect.id.worker}, {"connection", connect.id.serial}});
}

void DebugLines::say(const input::Connected& connected) {
  log_.debug("connection opened",
             {{"worker", connected.id.worker}, {"connection", connected.id.serial}});
}

void DebugLines::say(const input::ConnectFailed& failed) {
  log_.debug(
      "connection failed",
      {{"worker", failed.id.worker}, {"connection", failed.id.serial}, {"error", failed.trouble}});
}

void DebugLines::say(const command::Close& close) {
  log_.debug("closing connection", {{"worker", close.id.worker}, {"connection", close.id.serial}});
}

void DebugLines::say(const input::Closed& closed) {
  log_.debug("connection closed", {{"worker", closed.id.worker}, {"connection", closed.id.serial}});
}

void DebugLines::say(const command::Send& send) {
  log_.debug("sending", {{"request", send.request.id.value},
                         {"purpose", name_of(send.request.purpose)},
                         {"target", send.request.target},
                         {"bytes", std::ssize(send.request.body)},
                         {"connection", send.id.serial}});
}

void DebugLines::say(const input::Replied& replied) {
  log_.debug("request ended", {{"request", replied.request.value},
                               {"wire", name_of(replied.reply.wire)},
                               {"status", replied.reply.http_status},
                               {"connection", replied.id.serial},
                               {"connection_stays", yes_or_no(replied.reusable)}});
}

void DebugLines::say(const command::CommitWork& commit) {
  if (!commit.batch.account) return;
  const AccountState& account = *commit.batch.account;
  log_.debug("limit", {{"refusals", account.refusals},
                       {"cap", account.cap.value_or(0)},
                       {"ceiling", account.ceiling.value_or(0)},
                       {"paused_until_unix_ms", account.gate_wall_ms},
                       {"paused_by", account.paused_by.value_or("")}});
  if (account.gate_boot_ms != 0) paused_until_boot_ms_ = account.gate_boot_ms;
}

void DebugLines::say(const Standing& standing, Moment now) {
  if (paused_until_boot_ms_ != 0 && paused_until_boot_ms_ <= now.boot_ms) {
    paused_until_boot_ms_ = 0;
    log_.debug(
        "the pause that the DSP asked for is over: the next request asks whether it takes more");
  }
  const std::int64_t at = standing.next_send_boot_ms.value_or(0);
  if (at < now.boot_ms + kSoon || std::abs(at - next_send_boot_ms_) <= kTheSame) return;
  next_send_boot_ms_ = at;
  log_.debug("nothing is sent", {{"for_ms", at - now.boot_ms},
                                 {"on_the_wire", standing.on_the_wire},
                                 {"why", standing.outlook.reason}});
}

}  // namespace dl

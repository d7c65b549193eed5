// What goes into the brain and comes out of it, a line each at level debug: for who asks why
// nothing is sent, what a connection has been through, or how long an answer waits for the disk.
// What the log says anyhow is not said again. Never a body, a header of an answer or a token. Where
// the log leaves debug out, a call costs the look at a flag. Thread rule: the interpreter's thread.
// Ownership: borrows the log.
#pragma once

#include <cstdint>

#include "daemon/core/dispatcher.h"
#include "daemon/log.h"

namespace dl {

class DebugLines {
 public:
  explicit DebugLines(Log& log) : log_(log), is_on_(log.shows(LogLevel::debug)) {}

  void note(const Input& input) {
    if (is_on_) std::visit([this](const auto& what) { say(what); }, input);
  }
  void note(const AnyCommand& command) {
    if (is_on_) std::visit([this](const auto& what) { say(what); }, command);
  }
  // Now and then: when the next request goes, where that is not soon and has changed, and that a
  // pause is over.
  void note(const Standing& standing, Moment now) {
    if (is_on_) say(standing, now);
  }

 private:
  template <class Other>
  void say(const Other&) {}  // the log has it, or it comes with every request
  void say(const input::TablesChanged&);
  void say(const input::Loaded& loaded);
  void say(const input::Committed& committed);
  void say(const input::Connected& connected);
  void say(const input::ConnectFailed& failed);
  void say(const input::Closed& closed);
  void say(const input::Replied& replied);
  void say(const command::CommitWork& commit);
  void say(const command::LoadWork& load);
  void say(const command::Connect& connect);
  void say(const command::Close& close);
  void say(const command::Send& send);
  void say(const Standing& standing, Moment now);

  Log& log_;
  const bool is_on_;
  std::int64_t paused_until_boot_ms_ = 0;  // because the DSP asked; 0: it did not
  std::int64_t next_send_boot_ms_ = 0;     // as last said
};

}  // namespace dl

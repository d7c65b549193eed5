// What the dispatcher tells people beside the outcome of each request.
#include <utility>

#include "daemon/core/dispatcher.h"

namespace dl {

using Level = command::Say::Level;

void Dispatcher::say(Level level, std::string text) {
  commands_.emplace_back(command::Say{level, std::move(text)});
}

// Not the outcome of a request, whose line would say so: the permit for one that was never sent, or
// what the tables know better than an answer.
void Dispatcher::tell_held(const std::vector<Held>& held) {
  for (const Held& job : held) {
    say(Level::warning, "job " + std::to_string(job.job.value) +
                            " is held until a person decides (v_in_doubt): " + job.why);
  }
}

// It was given up as lost, and the row of a request is written once: a machine that was suspended,
// say, has its answer after all. For the person who has to decide the doubt.
void Dispatcher::tell_late_reply(const input::Replied& replied) {
  if (replied.reply.http_status == 0) return;
  std::string text = "request " + std::to_string(replied.request.value) +
                     " was answered after it had been given up: HTTP " +
                     std::to_string(replied.reply.http_status);
  for (const std::string& id : replied.reply.answer.ids) text += ", id " + id;
  say(Level::warning,
      text + "; its row says no answer, and if its job is in doubt, this may decide it");
}

}  // namespace dl

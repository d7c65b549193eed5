#include "tests/sim/trace.h"

#include "daemon/dsp/codec.h"

namespace dl::sim {
namespace {

std::string seconds(Millis ms) { return std::to_string(static_cast<double>(ms) / 1'000); }

std::string describe(const DspReply& reply) {
  if (reply.wire == Wire::not_sent) return "not sent";
  if (reply.wire == Wire::no_answer) return "no answer";
  std::string text = std::to_string(reply.http_status);
  if (!reply.answer.readable) text += " garbage";
  for (const std::string& id : reply.answer.ids) text += " id " + id;
  if (reply.answer.status) text += " " + *reply.answer.status;
  if (reply.retry_after) text += " Retry-After " + *reply.retry_after;
  return text;
}

std::string describe(const WorkResult& result, const World& world) {
  std::string text;
  for (const Applied& applied : result.applied) {
    text += " " + world.name_of(applied.job) + (applied.matched ? " done;" : " late evidence;");
    for (const JobRef& child : applied.promoted)
      text += " promotes " + world.name_of(child.id) + ";";
  }
  for (const JobRef& job : result.ready) text += " " + world.name_of(job.id) + " ready;";
  for (const Granted& granted : result.granted) {
    text += " granted " + std::string(name_of(granted.purpose)) + " " +
            world.name_of(granted.job.id) + " attempt " + std::to_string(granted.attempt) +
            " as request " + std::to_string(granted.request.value) + ";";
  }
  for (const Refused& refused : result.refused) {
    text += " refused " + world.name_of(refused.job) + ": " + refused.why + ";";
  }
  return text;
}

std::string describe(const WorkBatch& batch, const World& world) {
  std::string text;
  for (const Outcome& outcome : batch.outcomes) {
    text += " outcome of request " + std::to_string(outcome.request.value) + " for " +
            world.name_of(outcome.job) + ": " + outcome.outcome_class;
    if (outcome.event) text += " = " + std::string(name_of(*outcome.event));
    if (outcome.due_in_ms) text += " due in " + seconds(*outcome.due_in_ms) + " s";
    if (outcome.hold) text += " HOLD";
    text += ";";
  }
  for (const JobId job : batch.due) text += " due " + world.name_of(job) + ";";
  for (const Permit& permit : batch.permits) {
    text +=
        " permit " + std::string(name_of(permit.purpose)) + " " + world.name_of(permit.job) + ";";
  }
  if (batch.account) {
    text += " account: gate " + std::to_string(batch.account->gate_boot_ms) + " refusals " +
            std::to_string(batch.account->refusals) + ";";
  }
  return text;
}

}  // namespace

std::string trace_name(Pid pid) { return "daemon " + std::to_string(pid.value); }

std::string describe(const Recovery& recovery) {
  std::string text = std::to_string(recovery.reclaimed) + " requests were open, slots held: " +
                     std::to_string(recovery.slot_anchors_boot_ms.size());
  if (recovery.sends_from_boot_ms != 0) {
    text += ", sends nothing before boot ms " + std::to_string(recovery.sends_from_boot_ms);
  }
  return text;
}

std::string describe(const Input& given, const World& world) {
  struct Words {
    const World& world;
    std::string operator()(const input::Woke&) { return "woke"; }
    std::string operator()(const input::TablesChanged&) { return "the tables have changed"; }
    std::string operator()(const input::Loaded& loaded) {
      return "loaded " + std::to_string(loaded.work.ready.size()) + " ready, " +
             std::to_string(loaded.work.timed.size()) + " timed";
    }
    std::string operator()(const input::Committed& committed) {
      return "committed" + describe(committed.result, world);
    }
    std::string operator()(const input::Connected& connected) {
      return "connected " + std::to_string(connected.id.serial);
    }
    std::string operator()(const input::ConnectFailed& failed) {
      return "connecting failed: " + failed.trouble;
    }
    std::string operator()(const input::Closed& closed) {
      return "closed " + std::to_string(closed.id.serial);
    }
    std::string operator()(const input::Replied& replied) {
      return "reply to request " + std::to_string(replied.request.value) + ": " +
             describe(replied.reply);
    }
    std::string operator()(const input::TokenChanged&) { return "the token has changed"; }
    std::string operator()(const input::StopAsked&) { return "asked to stop"; }
  };
  return std::visit(Words{world}, given);
}

std::string describe(const AnyCommand& given, const World& world) {
  struct Words {
    const World& world;
    std::string operator()(const command::CommitWork& work) {
      return "commit" + describe(work.batch, world);
    }
    std::string operator()(const command::LoadWork&) { return "load"; }
    std::string operator()(const command::Connect& connect) {
      return "connect " + std::to_string(connect.id.serial);
    }
    std::string operator()(const command::Close& close) {
      return "close " + std::to_string(close.id.serial);
    }
    std::string operator()(const command::Send& send) {
      return "send " + describe(send.request, world);
    }
    std::string operator()(const command::WakeAt&) { return ""; }
    std::string operator()(const command::Record&) { return ""; }
    std::string operator()(const command::Say& say) { return "says: " + say.text; }
    std::string operator()(const command::Finish&) { return "finishes"; }
  };
  return std::visit(Words{world}, given);
}

std::string describe(const DspRequest& request, const World&) {
  std::string text = "request " + std::to_string(request.id.value) + " ";
  if (!is_post(request.purpose)) return text + "GET " + request.target;
  text += request.purpose == Purpose::create ? "POST " : "POST again ";
  return text + field_of(request.body, "id") + " key " + request.idempotency_key.substr(0, 8);
}

std::string describe(const ModelAnswer& answer) {
  std::string text = answer.reply ? ": answers " + describe(*answer.reply) : ": no answer";
  if (answer.applies_at) text += ", applied late";
  return text;
}

}  // namespace dl::sim

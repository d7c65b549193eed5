#include "tests/bench/model_server.h"

#include <algorithm>
#include <string>
#include <utility>

namespace dl::bench {
namespace {

DspReply answered(int status) {
  DspReply reply;
  reply.wire = Wire::answered;
  reply.http_status = status;
  reply.answer.readable = true;
  return reply;
}

}  // namespace

ModelServer::ModelServer(const Workload& workload, ServerLimit limit)
    : workload_(workload), limit_(std::move(limit)), done_at_(workload.entities.size()) {}

void ModelServer::create(int entity, Millis now) {
  const auto i = static_cast<std::size_t>(entity);
  if (done_at_[i]) return;  // the same key again
  const Millis takes = workload_.entities[i].processing_ms;
  Millis begins = now;
  if (workload_.two_servers) {
    Millis& server = *std::ranges::min_element(free_at_);
    begins = std::max(now, server);
    server = begins + takes;
  }
  done_at_[i] = begins + takes;
}

ModelServer::Answer ModelServer::arrive(int entity, Asks asks, Millis now) {
  const Admission admission = limit_(static_cast<double>(now));
  if (!admission.accepted) {
    Answer answer{.reply = answered(429), .refused = true};
    if (admission.retry_after_ms) {
      const Millis seconds = (*admission.retry_after_ms + 999) / 1'000;
      answer.reply.retry_after = std::to_string(std::max<Millis>(1, seconds));
    }
    return answer;
  }
  if (asks == Asks::creation) {
    create(entity, now);
    Answer answer{.reply = answered(201)};
    answer.reply.answer.ids = {"dsp_" + std::to_string(entity)};
    return answer;
  }
  const std::optional<Millis>& done_at = done_at_[static_cast<std::size_t>(entity)];
  const bool is_done = done_at && *done_at <= now;
  Answer answer{.reply = answered(200), .finished = is_done};
  answer.reply.answer.status = is_done ? "success" : "processing";
  return answer;
}

}  // namespace dl::bench

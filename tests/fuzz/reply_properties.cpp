#include "tests/fuzz/reply_properties.h"

#include <algorithm>
#include <string>

#include "daemon/core/outcome.h"
#include "daemon/core/rate_limit_headers.h"
#include "daemon/core/retry_after.h"
#include "daemon/dsp/codec.h"
#include "storage/model/check.h"

namespace dl::fuzz {
namespace {

bool holds(const std::string& text, std::string_view token) {
  return !token.empty() && text.find(token) != std::string::npos;
}

void check_text(const std::string& text, std::size_t bytes_max, std::string_view token) {
  DL_CHECK(text.size() <= bytes_max, "a text of an answer has its limit");
  DL_CHECK(std::ranges::all_of(text, [](char c) { return c >= ' ' && c <= '~'; }),
           "a text of an answer is printable");
  DL_CHECK(!holds(text, token), "the token is not told again");
}

}  // namespace

void check_allowances(const DspReply& reply) {
  for (const std::int64_t wall_ms : {std::int64_t{0}, std::int64_t{1'764'100'000'000}}) {
    for (const Allowance& each : parse_rate_limit(reply, wall_ms)) {
      DL_CHECK(each.remaining >= 0 && each.remaining <= 1'000'000'000, "so many are not remaining");
      DL_CHECK(each.for_ms >= 1 && each.for_ms <= kLongestWait,
               "no allowance lasts longer than an hour");
    }
  }
}

void check_reply(const DspReply& reply, Purpose purpose, std::string_view token) {
  check_text(reply.trouble, 512, token);
  check_text(reply.excerpt, 512, token);
  check_text(reply.dsp_request_id, 128, token);
  check_text(reply.location, 128, token);
  for (const auto* header :
       {&reply.retry_after, &reply.date, &reply.rate_limit_remaining, &reply.rate_limit_reset}) {
    if (*header) check_text(**header, 128, token);
  }
  for (const auto* list : {&reply.rate_limit, &reply.rate_limit_policy}) {
    if (*list) check_text(**list, 512, token);
  }
  check_allowances(reply);
  for (const std::string& id : reply.answer.ids) {
    DL_CHECK(is_legal_dsp_id(id), "an id is legal");
    DL_CHECK(!holds(id, token), "the token is no id");
  }
  for (const auto* text : {&reply.answer.status, &reply.answer.error}) {
    if (*text) DL_CHECK(!holds(**text, token), "the token is not told again");
  }
  const bool answered = reply.wire == Wire::answered;
  DL_CHECK(!answered || (reply.http_status >= 200 && reply.http_status <= 999),
           "answers are final");
  DL_CHECK(answered || !reply.trouble.empty(), "no answer has its reason");
  DL_CHECK(answered || (!reply.answer.readable && reply.answer.ids.empty()), "no answer, no id");
  const OutcomeClass what = classify(purpose, reply, {});
  const bool is_success = answered && reply.http_status < 300 && reply.answer.ids.size() == 1;
  DL_CHECK(what != OutcomeClass::accepted || is_success, "accepted is a complete 2xx with its id");
  DL_CHECK(slot_end(reply, {}) != SlotEnd::answered || answered,
           "only an answer frees its slot early");
}

bool says_the_same(const DspReply& a, const DspReply& b) {
  return a.wire == b.wire && a.http_status == b.http_status &&
         a.answer.readable == b.answer.readable && a.answer.ids == b.answer.ids &&
         a.answer.status == b.answer.status && a.answer.error == b.answer.error &&
         a.excerpt == b.excerpt && a.retry_after == b.retry_after && a.date == b.date &&
         a.rate_limit_remaining == b.rate_limit_remaining &&
         a.rate_limit_reset == b.rate_limit_reset && a.rate_limit == b.rate_limit &&
         a.rate_limit_policy == b.rate_limit_policy && a.location == b.location &&
         a.dsp_request_id == b.dsp_request_id;
}

}  // namespace dl::fuzz

// Bytes as all that a DSP sends on a connection until it closes it in good order, read by the one
// parser of HTTP the daemon has (daemon/dsp/answer_reader). Invariants: reply_properties.h; and an
// answer is the same however the network cuts it into pieces; and what is waiting to be understood
// is bounded.
#include <algorithm>
#include <cstring>
#include <string>

#include "daemon/dsp/answer_reader.h"
#include "storage/model/check.h"
#include "tests/fuzz/reply_properties.h"
#include "tests/fuzz/target.h"

namespace dl::fuzz {
namespace {

// One request's answer, as daemon/dsp/connection.cpp reads it. `at`: where in `bytes` reading goes
// on.
DspReply read_answer(AnswerReader& reader, std::string_view bytes, std::size_t& at,
                     std::size_t piece_bytes, const Secret& token, Purpose purpose) {
  using Progress = AnswerReader::Progress;
  Progress progress = Progress::more;
  reader.begin();
  while (progress == Progress::more && at < bytes.size()) {
    const auto space = reader.space();
    DL_CHECK(!space.empty() && space.size() <= 64 * 1024, "there is room for more, but not much");
    const std::size_t size = std::min({space.size(), bytes.size() - at, piece_bytes});
    std::memcpy(space.data(), bytes.data() + at, size);
    at += size;
    reader.add(size);
    progress = reader.read();
  }
  if (progress == Progress::more) progress = reader.end();
  DL_CHECK(progress != Progress::more, "an end is an end");
  if (progress == Progress::complete) return reader.reply(token, JobKind::campaign, purpose);
  DspReply reply = reader.head(token);
  reply.wire = Wire::no_answer;
  reply.trouble = reader.trouble();
  return reply;
}

}  // namespace

void http(std::string_view input) {
  const Secret token{std::string(kToken)};
  for (const Purpose purpose : {Purpose::create, Purpose::lookup}) {
    AnswerReader reader;
    std::size_t at = 0;
    const DspReply reply = read_answer(reader, input, at, input.size(), token, purpose);
    check_reply(reply, purpose, kToken);
    // Byte by byte where it is short: Beast looks at an unfinished line anew with each piece.
    const std::size_t least = 1 + input.size() / 512;
    for (const std::size_t piece_bytes : {least, 7 * least, 61 * least}) {
      AnswerReader other;
      std::size_t other_at = 0;
      const DspReply same = read_answer(other, input, other_at, piece_bytes, token, purpose);
      // Beast counts a header's bytes by what it has seen of them, so its limit is a little soft.
      const bool is_within_limits = input.size() <= 16 * 1024;
      DL_CHECK(!is_within_limits || says_the_same(reply, same), "an answer is the same in pieces");
    }
    // A connection that may be used again carries the next answer.
    if (reply.wire != Wire::answered || !reader.keeps_alive() || reader.has_leftovers()) continue;
    check_reply(read_answer(reader, input, at, 16, token, purpose), purpose, kToken);
  }
}

}  // namespace dl::fuzz

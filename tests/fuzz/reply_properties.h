// What must hold of every DspReply, whatever the DSP sent; and when two say the same.
#pragma once

#include <string_view>

#include "daemon/core/dsp.h"

namespace dl::fuzz {

inline constexpr std::string_view kToken = "canary-token";  // an answer may echo it

// Texts are bounded and printable, ids legal, `token` (of our request; empty: it had none) is
// nowhere, and only a complete answer with a final status proves anything.
void check_reply(const DspReply& reply, Purpose purpose, std::string_view token);

// What the RateLimit headers allow is within its bounds, whatever they say.
void check_allowances(const DspReply& reply);

// But for latency and the words for people.
bool says_the_same(const DspReply& a, const DspReply& b);

}  // namespace dl::fuzz

// From the parts of an HTTP answer to a DspReply: which headers matter, whether the body is JSON
// worth reading, and what the ledger keeps of it. Pure; any thread.
#pragma once

#include <string>
#include <string_view>

#include "daemon/core/dsp.h"
#include "daemon/dsp/secret.h"

namespace dl {

// Takes over a header that the daemon uses; any other is passed by. Values are clipped to printable
// ASCII, at most 128 bytes: they go into the ledger and the log.
void note_header(DspReply& reply, std::string_view name, std::string_view value);

// Reads a complete body into `reply` (answer, excerpt where it is odd, trouble where it cannot be
// read). Only JSON is read: application/json, any …+json, or no content type at all. `body` is as
// it came; what is kept of it does not hold `token`.
void note_body(DspReply& reply, std::string_view content_type, std::string_view body, JobKind kind,
               Purpose purpose, const Secret& token);

}  // namespace dl

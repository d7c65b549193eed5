// The idempotency key of an attempt: UUID version 5 (RFC 4122 4.3) of the database's id, the job's
// key and the attempt's number. The same attempt always has the same key; two databases never share
// one. Pure; callable from any thread.
#pragma once

#include <string>
#include <string_view>

#include "storage/model/moment.h"

namespace dl {

std::string idempotency_key(std::string_view database_id, std::string_view job_key, int attempt);

// How old a key may be when it is used again, in ms, where the DSP remembers it for `lifetime_ms`:
// what leaves then must arrive while it is still known. That is `http_timeout_ms` +
// `late_arrival_ms` later at most, if we are there to give it up; a process that is stopped
// meanwhile (SIGSTOP, a machine that is suspended) is not. For that a quarter of the lifetime is
// left, at least a minute and at most an hour. 0 or less: never. (Found by the simulator, seed
// 2909001756: stopped for 198 s.)
Millis last_use_of_key(Millis lifetime_ms, Millis http_timeout_ms, Millis late_arrival_ms);

}  // namespace dl

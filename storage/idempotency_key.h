// The idempotency key of an attempt: UUID version 5 (RFC 4122 4.3) of the database's id, the job's key and the
// attempt's number. The same attempt always has the same key; two databases never share one.
// Pure; callable from any thread.
#pragma once

#include <string>
#include <string_view>

namespace dl {

std::string idempotency_key(std::string_view database_id, std::string_view job_key, int attempt);

}  // namespace dl

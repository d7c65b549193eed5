#include "storage/idempotency_key.h"

#include <algorithm>
#include <boost/uuid/name_generator_sha1.hpp>
#include <boost/uuid/string_generator.hpp>
#include <boost/uuid/uuid_io.hpp>

namespace dl {

std::string idempotency_key(std::string_view database_id, std::string_view job_key, int attempt) {
  const boost::uuids::uuid space = boost::uuids::string_generator{}(std::string(database_id));
  std::string name(job_key);
  name += '\n';
  name += std::to_string(attempt);
  return boost::uuids::to_string(boost::uuids::name_generator_sha1{space}(name));
}

Millis last_use_of_key(Millis lifetime_ms, Millis http_timeout_ms, Millis late_arrival_ms) {
  constexpr Millis kMinute = 60'000;
  constexpr Millis kHour = 3'600'000;
  return lifetime_ms - http_timeout_ms - late_arrival_ms -
         std::clamp(lifetime_ms / 4, kMinute, kHour);
}

}  // namespace dl

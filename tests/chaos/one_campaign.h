// The smallest sheet: a campaign with one ad group, for databases that a test makes by the dozen.
#pragma once

#include <string>

#include "tests/support/process.h"

namespace dl::chaos {

inline constexpr std::int64_t kEntitiesOfOne = 2;

// What follows dl-ingest's --line.
inline std::string one_campaign(const std::string& id) {
  return R"({"campaign_id":")" + id +
         R"(","campaign_name":"Chaos","campaign_budget":"10.50",)"
         R"("start_date":"2026-03-15","end_date":"2026-05-31","objective":"conversions",)"
         R"("ad_groups":[{"id":"g","name":"G","bid":"2.10","targeting_ages":"18-34",)"
         R"("targeting_interests":"running","targeting_geo":"UK"}]})";
}

// Into a database of its own.
inline Launch loader_of_one(const std::string& id, const std::string& db) {
  return {.program = "dl-ingest",
          .arguments = {"--db", db, "--line", one_campaign(id)},
          .environment = {},
          .errors_to = ErrorsTo::file};
}

}  // namespace dl::chaos

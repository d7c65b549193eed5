// Whose ids the ledger holds. What was created at one DSP cannot be asked for at another: its "not
// found" would count as absent and make a duplicate, and a child would be created below a stranger
// that happens to have the same id.
#include <algorithm>

#include "queries_sql.h"
#include "storage/store.h"
#include "storage/store_columns.h"

namespace dl {
namespace {

// Without what does not tell two DSPs apart: case up to the path. (Default ports and a last '/' are
// gone already.)
std::string comparable(std::string url) {
  const std::size_t authority = url.find("://");
  const std::size_t path = authority == std::string::npos
                               ? url.size()
                               : std::min(url.find('/', authority + 3), url.size());
  std::transform(url.begin(), url.begin() + static_cast<std::ptrdiff_t>(path), url.begin(),
                 [](char c) { return c >= 'A' && c <= 'Z' ? static_cast<char>(c + 32) : c; });
  return url;
}

}  // namespace

// Of the take-over. Jobs that were refused, or are known dead, tie nobody to a DSP.
void Store::compare_endpoint() {
  another_endpoint_.clear();
  if (policy_.endpoint.empty()) return;
  SQLite::Statement& row = sql(sql::k_endpoint_with_ids);
  const bool has_ids = row.executeStep();
  const std::string recorded = has_ids ? row.getColumn(0).getString() : "";
  row.reset();
  if (!has_ids || comparable(recorded) == comparable(policy_.endpoint)) return;
  recorded_endpoint_ = recorded;
  another_endpoint_ = "the ids and unresolved POSTs of this database belong to " + recorded +
                      ", and the endpoint is now " + policy_.endpoint;
}

void Store::pause_for_another_endpoint(Moment now) {
  if (another_endpoint_.empty()) return;
  put_pause_behind("endpoint check");
  SQLite::Statement& pause = sql(sql::k_pause_for_endpoint);
  pause.bind(":reason", another_endpoint_ +
                            "; start with the former one, or, if it is the same DSP under another "
                            "name, operator_act resume");
  pause.bind(":at", now.wall_ms);
  pause.exec();
}

// In the transaction of a permit. False: nobody has resumed, so nothing may be sent.
bool Store::endpoint_is_accepted() {
  if (another_endpoint_.empty()) return true;
  if (policy_.only_asks) return false;
  SQLite::Statement& accept = sql(sql::k_accept_endpoint);
  accept.bind(":endpoint", policy_.endpoint);
  return accept.exec() != 0;
}

}  // namespace dl

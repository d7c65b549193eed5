// Whose pause stands in front. First the generation check, then the endpoint check, --hold, a
// person's, the daemon's own for its credentials. A resume ends a person's pause alone where one
// stands behind another. (The acts pause and resume: migrations/0023_standing_checks.sql.)
#include "queries_sql.h"
#include "storage/store.h"
#include "storage/store_columns.h"

namespace dl {

void Store::put_pause_behind(std::string_view check) {
  SQLite::Statement& put = sql(sql::k_put_pause_behind);
  bind_text(put, ":check", check);
  put.exec();
}

// Of the take-over, once a check that is over has ended: it would take the hold with it.
void Store::hold_account(Moment now) {
  if (!policy_.starts_on_hold) return;
  put_pause_behind("--hold");
  for (const std::string_view text : {sql::k_hold_account, sql::k_hold_behind_check}) {
    SQLite::Statement& hold = sql(text);
    hold.bind(":reason", "started with --hold; go on with operator_act resume");
    hold.bind(":at", now.wall_ms);
    hold.exec();
  }
}

}  // namespace dl

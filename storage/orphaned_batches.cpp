#include <algorithm>
#include <vector>

#include "queries_sql.h"
#include "storage/batch_writer.h"
#include "storage/fault/fault_point.h"
#include "storage/live_daemon.h"
#include "storage/model/planted.h"

namespace dl {
namespace {

constexpr std::int64_t kJobsInOneTransaction = 1000;

std::vector<std::int64_t> orphans(SQLite::Database& db) {
  std::vector<std::int64_t> batches;
  SQLite::Statement list(db, std::string(sql::k_ingest_orphans));
  while (list.executeStep()) batches.push_back(list.getColumn(0).getInt64());
  return batches;
}

constexpr int kCheckpointPages = 1'000;

// Between two transactions.
Status cut_log(Database& database, Writer by) {
  if (by == Writer::daemon) return database.checkpoint_if_longer_than(kCheckpointPages);
  if (auto polite = leave_room_for_daemon(database, kCheckpointPages); !polite)
    return polite.error();
  return Done{};
}

Status delete_rows(Database& database, std::int64_t batch, Writer by) {
  int deleted = 1;
  while (deleted > 0) {
    const Status ok = database.transaction(Writer::ingest, [&]() -> Status {
      SQLite::Statement rows(database.handle(), std::string(sql::k_ingest_delete_rows));
      rows.bind(":batch", batch);
      rows.bind(":n", kJobsInOneTransaction);
      deleted = rows.exec();
      return Done{};
    });
    if (!ok) return ok;
    if (deleted < kJobsInOneTransaction) break;
    if (Status cut = cut_log(database, by); !cut) return cut;
  }
  return Done{};
}

void delete_between(SQLite::Database& db, std::string_view text, std::int64_t first,
                    std::int64_t last) {
  SQLite::Statement statement(db, std::string(text));
  statement.bind(":first", first);
  statement.bind(":last", last);
  statement.exec();
}

// From the last job down, children before their parents.
Status delete_jobs(Database& database, std::int64_t batch, Writer by) {
  SQLite::Database& db = database.handle();
  std::int64_t floor = 0;
  std::int64_t last = 0;
  Status ok = database.guard(database.path(), [&]() -> Status {
    SQLite::Statement above(db, std::string(sql::k_ingest_orphan_floor));
    above.bind(":batch", batch);
    above.executeStep();
    floor = above.getColumn(0).getInt64();
    last = db.execAndGet(std::string(sql::k_ingest_next_job)).getInt64() - 1;
    return Done{};
  });
  while (ok && last > floor) {
    const std::int64_t first = std::max(floor + 1, last - kJobsInOneTransaction + 1);
    ok = database.transaction(Writer::ingest, [&]() -> Status {
      delete_between(db, sql::k_ingest_delete_edges, first, last);
      delete_between(db, sql::k_ingest_delete_payloads, first, last);
      SQLite::Statement jobs(db, std::string(sql::k_ingest_delete_jobs));
      jobs.bind(":first", first);
      jobs.bind(":last", last);
      jobs.bind(":batch", batch);
      jobs.exec();
      DL_FAULT_POINT("orphan.in_tx");
      return Done{};
    });
    last = first - 1;
    if (!ok || last <= floor) break;
    ok = cut_log(database, by);
  }
  return ok;
}

Status run(Database& database, std::string_view text, std::int64_t batch) {
  return database.transaction(Writer::ingest, [&]() -> Status {
    SQLite::Statement statement(database.handle(), std::string(text));
    statement.bind(":batch", batch);
    statement.exec();
    return Done{};
  });
}

// The counts go before what they count: a crash in between leaves none that is wrong.
Status delete_batch(Database& database, std::int64_t batch, Writer by) {
  if (Status ok = run(database, sql::k_ingest_delete_counts, batch); !ok) return ok;
  if (Status ok = delete_rows(database, batch, by); !ok) return ok;
  if (Status ok = delete_jobs(database, batch, by); !ok) return ok;
  return run(database, sql::k_ingest_delete_batch, batch);
}

}  // namespace

Result<int> remove_orphaned_batches(Database& database, Writer by) {
  if (planted(Fault::orphans_stay)) return 0;
  SQLite::Database& db = database.handle();
  std::vector<std::int64_t> batches;
  Status ok = database.guard(database.path(), [&]() -> Status {
    batches = orphans(db);
    // SQLite would look for rows that refer to each deleted job, in tables that have no index for
    // it. Nothing outside a loading batch refers into it, and inside we delete in order.
    if (!batches.empty()) db.exec("PRAGMA foreign_keys = OFF");
    return Done{};
  });
  for (const std::int64_t batch : batches) {
    if (ok) ok = delete_batch(database, batch, by);
  }
  if (!batches.empty()) {
    const Status on = database.guard(database.path(), [&]() -> Status {
      db.exec("PRAGMA foreign_keys = ON");
      return Done{};
    });
    if (ok) ok = on;
  }
  if (!ok) return ok.error();
  return static_cast<int>(batches.size());
}

}  // namespace dl

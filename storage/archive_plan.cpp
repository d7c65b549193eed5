#include "storage/archive_plan.h"

#include <algorithm>
#include <numeric>

#include "queries_sql.h"
#include "storage/model/duration.h"
#include "storage/model/rate_spec.h"

namespace dl {
namespace {

constexpr std::int64_t kJobsAtOnce = 50'000;
constexpr std::int64_t kRowsAtOnce = 50'000;
// Longer than any settle time, late arrival or HTTP timeout; windows of the limit are added.
constexpr Millis kYoungest = Millis{2} * 24 * 3'600'000;

// Batches that name one tree, and whoever shares a tree with one of them, stay or go together.
class Groups {
 public:
  Groups(std::size_t batches, std::size_t trees) : leader_(batches), named_by_(trees) {
    std::iota(leader_.begin(), leader_.end(), std::uint32_t{0});
  }
  void name(std::uint32_t batch, std::int64_t root_id) {
    std::uint32_t& other = named_by_[static_cast<std::size_t>(root_id)];
    if (other == 0) other = batch + 1;
    if (other != batch + 1) leader_[leader_of(other - 1)] = leader_of(batch);
  }
  std::uint32_t leader_of(std::uint32_t batch) {
    while (leader_[batch] != batch) batch = leader_[batch] = leader_[leader_[batch]];
    return batch;
  }

 private:
  std::vector<std::uint32_t> leader_;  // by batch; of a group it is the one that leads itself
  // by root id: a batch that names the tree, + 1; 0: none yet
  std::vector<std::uint32_t> named_by_;
};

// The rules that give a batch up, applied to what the tables say.
class Planner {
 public:
  Planner(Database& database, ArchivePlan& plan)
      : database_(database), db_(database.handle()), plan_(plan) {}

  Status run(std::int64_t newest_requests) {
    Status ok = read([&] {
      plan_.last_job = db_.execAndGet(std::string(sql::k_archive_last_job)).getInt64();
      plan_.newest_request = db_.execAndGet(std::string(sql::k_newest_request)).getInt64();
      plan_.newest_act = db_.execAndGet(std::string(sql::k_archive_newest_act)).getInt64();
    });
    if (!ok) return ok;
    plan_.held.resize(static_cast<std::size_t>(plan_.last_job) + 1);
    ok = hold_live_trees(newest_requests);
    if (ok) ok = sort_batches();
    if (ok) ok = count_jobs();
    return ok;
  }

 private:
  Status read(const std::function<void()>& what) {
    return database_.guard(database_.path(), [&]() -> Status {
      what();
      return Done{};
    });
  }
  void hold_all(SQLite::Statement& roots) {
    while (roots.executeStep()) plan_.hold(roots.getColumn(0).getInt64());
    roots.reset();
  }

  Status hold_live_trees(std::int64_t newest_requests) {
    for (std::int64_t first = 1; first <= plan_.last_job; first += kJobsAtOnce) {
      const Status ok = read([&] {
        SQLite::Statement live(db_, std::string(sql::k_archive_live_trees));
        live.bind(":first", first);
        live.bind(":last", first + kJobsAtOnce - 1);
        live.bind(":before", plan_.before_ms);
        hold_all(live);
      });
      if (!ok) return ok;
    }
    return read([&] {
      SQLite::Statement open(db_, std::string(sql::k_archive_open_trees));
      hold_all(open);
      SQLite::Statement newest(db_, std::string(sql::k_archive_newest_trees));
      newest.bind(":n", newest_requests);
      hold_all(newest);
    });
  }

  struct Listed {
    ArchiveBatch batch;
    bool is_young = false;
  };

  Status list_batches(std::vector<Listed>& batches) {
    return read([&] {
      SQLite::Statement list(db_, std::string(sql::k_archive_batches));
      while (list.executeStep()) {
        // by members: at -O3 GCC 12 warns of a push_back of a temporary
        Listed& listed = batches.emplace_back();
        listed.batch.id = BatchId{list.getColumn(0).getInt64()};
        listed.batch.source = list.getColumn(1).getString();
        listed.is_young = list.getColumn(2).getInt64() >= plan_.before_ms;
      }
    });
  }

  // A batch goes only with all of its trees, and a tree only with all batches that name it: rows in
  // the archive would else tell what was, while their jobs go on here. One of which an interrupted
  // run has moved some rows goes on only when nothing of the rest lives.
  Status sort_batches() {
    std::vector<Listed> batches;
    Status ok = list_batches(batches);
    Groups groups(batches.size(), plan_.held.size());
    std::vector<bool> stays(batches.size());  // by leader, in the end
    for (std::uint32_t i = 0; ok && i < batches.size(); ++i) {
      bool lives = batches[i].is_young;
      ok = each_row_of(database_, batches[i].batch.id, [&](std::int64_t root) {
        ++batches[i].batch.rows;
        lives = lives || !plan_.is_free(root);
        groups.name(i, root);
      });
      stays[i] = lives;
    }
    if (!ok) return ok;
    for (std::uint32_t i = 0; i < batches.size(); ++i) {
      if (stays[i]) stays[groups.leader_of(i)] = true;
    }
    for (std::uint32_t i = 0; i < batches.size(); ++i) {
      (stays[groups.leader_of(i)] ? plan_.staying : plan_.going).push_back(batches[i].batch);
    }
    for (const ArchiveBatch& batch : plan_.staying) {
      if (ok) ok = each_row_of(database_, batch.id, [&](std::int64_t root) { plan_.hold(root); });
    }
    return ok;
  }

  Status count_jobs() {
    for (std::int64_t first = 1; first <= plan_.last_job; first += kJobsAtOnce) {
      const Status ok = read([&] {
        SQLite::Statement candidates(db_, std::string(sql::k_archive_candidates));
        candidates.bind(":first", first);
        candidates.bind(":last", first + kJobsAtOnce - 1);
        while (candidates.executeStep())
          plan_.jobs += plan_.is_free(candidates.getColumn(1).getInt64()) ? 1 : 0;
      });
      if (!ok) return ok;
    }
    return Done{};
  }

  Database& database_;
  SQLite::Database& db_;
  ArchivePlan& plan_;
};

Result<std::vector<Tier>> limits_of(Database& database) {
  std::string text = "none";
  const Status ok = database.guard(database.path(), [&]() -> Status {
    SQLite::Statement limits(database.handle(), std::string(sql::k_archive_limits));
    if (limits.executeStep() && !limits.getColumn(0).isNull())
      text = limits.getColumn(0).getString();
    return Done{};
  });
  if (!ok) return ok.error();
  return parse_rate_spec(text);
}

}  // namespace

Result<ArchivePlan> plan_archive(Database& database, Millis older_than, std::int64_t now_ms) {
  const Result<std::vector<Tier>> limits = limits_of(database);
  if (!limits) return limits.error();
  Millis youngest = kYoungest;
  std::int64_t newest_requests = 1;  // of another boot: the limiter must know that there was one
  for (const Tier& tier : *limits) {
    youngest = std::max(youngest, kYoungest + tier.window_ms);
    newest_requests += 2 * tier.count;  // no more than that hold a slot
  }
  if (older_than < youngest) {
    return Error{Errc::usage, "--older-than " + format_duration(older_than) + ": at least " +
                                  format_duration(youngest) +
                                  ", because the limiter and late answers need what is younger"};
  }
  ArchivePlan plan;
  plan.before_ms = now_ms - older_than;
  if (Status ok = Planner(database, plan).run(newest_requests); !ok) return ok.error();
  return plan;
}

Status each_row_of(Database& database, BatchId batch,
                   const std::function<void(std::int64_t root_id)>& row) {
  std::int64_t next = 0;
  for (std::int64_t seen = kRowsAtOnce; seen == kRowsAtOnce;) {
    seen = 0;
    const Status ok = database.guard(database.path(), [&]() -> Status {
      SQLite::Statement rows(database.handle(), std::string(sql::k_archive_rows));
      rows.bind(":batch", batch.value);
      rows.bind(":first", next);
      rows.bind(":n", kRowsAtOnce);
      for (; rows.executeStep(); ++seen) {
        next = rows.getColumn(0).getInt64() + 1;
        row(rows.getColumn(2).getInt64());
      }
      return Done{};
    });
    if (!ok) return ok;
  }
  return Done{};
}

}  // namespace dl

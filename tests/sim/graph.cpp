#include "tests/sim/graph.h"

#include "storage/database.h"
#include "storage/digest.h"
#include "storage/model/job.h"

namespace dl::sim {
namespace {

struct Maker {
  SQLite::Database& db;
  std::int64_t next_id = 1;

  std::int64_t add(JobKind kind, const std::string& key, const std::string& own_id, std::int64_t root, std::int64_t parent) {
    const std::int64_t id = next_id++;
    SQLite::Statement job(db, "INSERT INTO job (id, batch_id, kind, key, root_id, level, open_parents, state, updated_at) "
                              "VALUES (?1, 1, ?2, ?3, ?4, ?5, ?6, ?7, 1)");
    job.bind(1, id);
    job.bind(2, std::string(names_of(kind).name));
    job.bind(3, key);
    job.bind(4, root == 0 ? id : root);
    job.bind(5, static_cast<int>(kind));
    job.bind(6, parent == 0 ? 0 : 1);
    job.bind(7, parent == 0 ? "ready" : "blocked");
    job.exec();
    const std::string body = "{\"id\":\"" + own_id + "\",\"name\":\"" + own_id + "\"}";
    const Sha256 digest = sha256(body);
    SQLite::Statement payload(db, "INSERT INTO job_payload (job_id, body, sha256) VALUES (?1, ?2, ?3)");
    payload.bind(1, id);
    payload.bind(2, body);
    payload.bind(3, digest.data(), static_cast<int>(digest.size()));
    payload.exec();
    if (parent != 0) {
      SQLite::Statement edge(db, "INSERT INTO job_edge (parent_id, child_id) VALUES (?1, ?2)");
      edge.bind(1, parent);
      edge.bind(2, id);
      edge.exec();
    } else {
      db.exec("INSERT INTO job_history (job_id, at, rule_id, attempt) VALUES (" + std::to_string(id) + ", 1, 1, 1)");
    }
    return id;
  }
};

void expect_none(SQLite::Database& db, const std::string& what, const std::string& query, GraphCheck& check) {
  SQLite::Statement rows(db, query);
  while (rows.executeStep()) check.violations.push_back(what + ": job " + rows.getColumn(0).getString());
}

}  // namespace

void make_graph(const std::string& path, int campaigns, int ad_groups, int ads) {
  Result<std::unique_ptr<Database>> database = Database::open(path, OpenMode::create);
  DL_CHECK(database.has_value(), "the simulator's database opens");
  const Status made = (*database)->transaction(Writer::ingest, [&]() -> Status {
    SQLite::Database& db = (*database)->handle();
    db.exec("INSERT INTO batch (id, state, source, size_bytes, sha256, format, loaded_by, started_at) "
            "VALUES (1, 'loaded', 'sim', 0, '', 'csv', 'sim', 1)");
    Maker maker{db};
    for (int c = 1; c <= campaigns; ++c) {
      const std::string own_c = "c" + std::to_string(c);
      const std::int64_t root = maker.add(JobKind::campaign, own_c, own_c, 0, 0);
      for (int g = 1; g <= ad_groups; ++g) {
        const std::string own_g = own_c + "g" + std::to_string(g);
        const std::int64_t group = maker.add(JobKind::ad_group, own_c + "/" + own_g, own_g, root, root);
        for (int a = 1; a <= ads; ++a) {
          const std::string own_a = own_g + "a" + std::to_string(a);
          maker.add(JobKind::ad, own_c + "/" + own_g + "/" + own_a, own_a, root, group);
        }
      }
    }
    db.exec("INSERT INTO job_count SELECT batch_id, kind, state, count(*) FROM job GROUP BY 1, 2, 3");
    return Done{};
  });
  DL_CHECK(made.has_value(), "the simulator's graph is made");
}

GraphCheck check_graph(const std::string& path, Doubt doubt) {
  GraphCheck check;
  Result<std::unique_ptr<Database>> database = Database::open(path, OpenMode::existing);
  if (!database) {
    check.violations.push_back("open: " + database.error().message);
    return check;
  }
  SQLite::Database& db = (*database)->handle();
  if (const Status sound = (*database)->check_integrity(); !sound) check.violations.push_back(sound.error().message);
  expect_none(db, "left without an end", "SELECT id FROM job WHERE state IN ('ready', 'waiting', 'submitting', 'confirming')", check);
  expect_none(db, "blocked without a reason",
              "SELECT id FROM job j WHERE state = 'blocked' AND NOT EXISTS (SELECT 1 FROM job_edge e JOIN job p ON p.id = e.parent_id "
              "WHERE e.child_id = j.id AND p.state IN ('failed', 'in_doubt', 'blocked'))", check);
  expect_none(db, "leased after the end", "SELECT id FROM job WHERE lease_token IS NOT NULL", check);
  expect_none(db, "in doubt without a reason", "SELECT id FROM job WHERE state = 'in_doubt' AND hold IS NULL", check);
  if (doubt == Doubt::must_resolve) expect_none(db, "left in doubt", "SELECT id FROM job WHERE state = 'in_doubt'", check);
  expect_none(db, "more creations than allowed", "SELECT job_id FROM request WHERE purpose = 'create' AND outcome NOT IN "
              "('throttled', 'not_sent', 'unauthorized') GROUP BY job_id HAVING count(DISTINCT attempt) > 4", check);
  expect_none(db, "open request", "SELECT job_id FROM request WHERE finished_at IS NULL", check);
  expect_none(db, "open parents miscounted",
              "SELECT id FROM job j WHERE open_parents <> (SELECT count(*) FROM job_edge e JOIN job p ON p.id = e.parent_id "
              "WHERE e.child_id = j.id AND p.state <> 'succeeded')", check);
  expect_none(db, "history does not lead here",
              "SELECT j.id FROM job j WHERE j.state <> coalesce((SELECT r.to_state FROM job_history h JOIN job_rule r ON r.id = h.rule_id "
              "WHERE h.job_id = j.id ORDER BY h.id DESC LIMIT 1), 'blocked')", check);
  expect_none(db, "history has a gap",
              "SELECT job_id FROM (SELECT h.job_id, r.from_state, lag(r.to_state, 1, 'blocked') OVER (PARTITION BY h.job_id ORDER BY h.id) AS before "
              "FROM job_history h JOIN job_rule r ON r.id = h.rule_id) WHERE from_state <> before", check);
  expect_none(db, "states miscounted",
              "SELECT kind || ' ' || state FROM (SELECT kind, state, count(*) AS n FROM job GROUP BY 1, 2) actual "
              "WHERE n <> (SELECT n FROM job_count c WHERE c.kind = actual.kind AND c.state = actual.state)", check);
  SQLite::Statement ids(db, "SELECT json_extract(p.body, '$.id') FROM job j JOIN job_payload p ON p.job_id = j.id WHERE j.state = 'succeeded'");
  while (ids.executeStep()) check.succeeded_ids.push_back(ids.getColumn(0).getString());
  check.succeeded = static_cast<std::int64_t>(check.succeeded_ids.size());
  check.jobs = db.execAndGet("SELECT count(*) FROM job").getInt64();
  return check;
}

}  // namespace dl::sim

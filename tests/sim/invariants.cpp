#include "tests/sim/invariants.h"

#include "storage/ledger_windows.h"

namespace dl::sim {
namespace {

using Questions = std::vector<std::pair<const char*, const char*>>;

const Questions& structure_questions() {
  static const Questions all = {
      {"a promise is broken (v_broken_promises)",
       "SELECT coalesce(job_id, 0) FROM v_broken_promises"},
      {"open parents miscounted",
       "SELECT id FROM job j WHERE open_parents <> (SELECT count(*) FROM job_edge e "
       "JOIN job p ON p.id = e.parent_id WHERE e.child_id = j.id AND p.state <> 'succeeded')"},
      {"history does not lead to its state",
       "SELECT j.id FROM job j WHERE j.state <> coalesce((SELECT r.to_state FROM job_history h "
       "JOIN job_rule r ON r.id = h.rule_id WHERE h.job_id = j.id ORDER BY h.id DESC LIMIT 1), "
       "'blocked')"},
      {"history has a gap",
       "SELECT job_id FROM (SELECT h.job_id, r.from_state, lag(r.to_state, 1, 'blocked') "
       "OVER (PARTITION BY h.job_id ORDER BY h.id) AS before "
       "FROM job_history h JOIN job_rule r ON r.id = h.rule_id) WHERE from_state <> before"},
      {"states miscounted",
       "SELECT batch_id, kind, state, n FROM job_count WHERE n <> (SELECT count(*) FROM job j "
       "WHERE j.batch_id = job_count.batch_id AND j.kind = job_count.kind "
       "AND j.state = job_count.state)"},
      {"leased, and its request is not open",
       "SELECT j.id FROM job j LEFT JOIN request r ON r.id = j.lease_token "
       "WHERE j.lease_token IS NOT NULL AND (r.id IS NULL OR r.finished_at IS NOT NULL)"},
      {"a POST is open, and its job is not leased for it",
       "SELECT r.job_id FROM request r JOIN job j ON j.id = r.job_id WHERE r.finished_at IS NULL "
       "AND r.purpose IN ('create', 'resubmit') AND j.lease_token IS NOT r.id"},
  };
  return all;
}

const Questions& end_questions() {
  static const Questions all = {
      {"left without an end",
       "SELECT id FROM job WHERE state IN ('ready', 'waiting', 'submitting') "
       "OR (state = 'confirming' AND overdue = 0)"},
      {"blocked by nobody",
       "SELECT id FROM job j WHERE state = 'blocked' AND NOT EXISTS (SELECT 1 FROM job_edge e "
       "JOIN job p ON p.id = e.parent_id WHERE e.child_id = j.id AND p.state <> 'succeeded')"},
      {"leased after the end", "SELECT id FROM job WHERE lease_token IS NOT NULL"},
      {"in doubt without a reason", "SELECT id FROM job WHERE state = 'in_doubt' AND hold IS NULL"},
      {"a request is open after the end", "SELECT job_id FROM request WHERE finished_at IS NULL"},
      {"a batch is never loaded", "SELECT 0 FROM batch WHERE state = 'loading'"},
      {"a row without what it refers to", "SELECT rowid FROM pragma_foreign_key_check"},
  };
  return all;
}

}  // namespace

Invariants::Invariants(SQLite::Database& observer)
    : observer_(observer),
      structure_(prepare(structure_questions())),
      end_(prepare(end_questions())),
      granted_(observer, "SELECT 1 FROM request WHERE id = ?1"),
      finished_(observer,
                "SELECT 1 FROM request WHERE id = ?1 AND finished_at IS NOT NULL "
                "AND outcome <> 'owner_lost'"),
      act_(observer, "SELECT 1 FROM operator_act WHERE id = ?1"),
      batch_(observer, "SELECT 1 FROM batch WHERE id = ?1 AND state = 'loaded'"),
      orphan_(observer,
              "SELECT job_id FROM request WHERE finished_at IS NULL AND instance_id <> "
              "(SELECT max(id) FROM instance)"),
      job_of_(observer,
              "SELECT j.dsp_id IS ?2 OR EXISTS (SELECT 1 FROM request r "
              "WHERE r.job_id = j.id AND r.resolution IS NULL "
              "AND r.purpose IN ('create', 'resubmit')) FROM job j WHERE j.id = ?1") {}

std::vector<Invariants::Question> Invariants::prepare(Questions questions) {
  std::vector<Question> prepared;
  for (const auto& [what, sql] : questions) {
    prepared.push_back({what, std::make_unique<SQLite::Statement>(observer_, sql)});
  }
  return prepared;
}

void Invariants::ask(World& world, std::vector<Question>& questions) {
  for (Question& question : questions) {
    while (question.rows->executeStep()) {
      const JobId job{question.rows->getColumn(0).getInt64()};
      world.wrong("tables: " + question.what + ": " + world.name_of(job));
    }
    question.rows->reset();
  }
}

void Invariants::check_structure(World& world) { ask(world, structure_); }

void Invariants::check_memory(World& world, const Acknowledged& acknowledged, std::int64_t last_act,
                              std::int64_t last_batch) {
  const auto expect = [&](SQLite::Statement& row, std::int64_t id, const char* what) {
    if (id == 0) return;
    row.bind(1, id);
    if (!row.executeStep())
      world.wrong(std::string("forgotten: ") + what + " " + std::to_string(id));
    row.reset();
  };
  expect(granted_, acknowledged.last_granted.value, "the intent of request");
  for (const RequestId id : acknowledged.finished)
    expect(finished_, id.value, "the outcome of request");
  expect(act_, last_act, "the operator's act");
  expect(batch_, last_batch, "the loaded batch");
  while (orphan_.executeStep()) {
    world.wrong("reclaim: a dead owner's request is still open: " +
                world.name_of(JobId{orphan_.getColumn(0).getInt64()}));
  }
  orphan_.reset();
}

// Each entity that exists there belongs to a job here that knows it, or knows that it may exist;
// each job that has succeeded here has succeeded there.
void Invariants::check_ledger_of_dsp(World& world) {
  for (const ModelDsp::Alive& entity : world.dsp.alive(world.time())) {
    if (world.is_misled(entity.own_id)) continue;
    job_of_.bind(1, world.sheet.job_of(entity.own_id).value);
    job_of_.bind(2, entity.dsp_id);
    const bool is_known = job_of_.executeStep() && job_of_.getColumn(0).getInt() != 0;
    if (!is_known)
      world.wrong("lost: nobody here knows that " + entity.own_id + " exists as " + entity.dsp_id);
    job_of_.reset();
  }
  SQLite::Statement done(observer_, "SELECT id, dsp_id FROM job WHERE state = 'succeeded'");
  while (done.executeStep()) {
    const std::string own = world.name_of(JobId{done.getColumn(0).getInt64()});
    const std::string dsp_id = done.getColumn(1).getString();
    if (!world.dsp.has_succeeded(own, dsp_id, world.time())) {
      world.wrong("succeeded here, not there: " + own + " as " + dsp_id);
    }
  }
}

void Invariants::check_end(World& world) {
  ask(world, structure_);
  ask(world, end_);
  check_ledger_of_dsp(world);
  find_full_windows(observer_,
                    [&world](const std::string& what) { world.wrong("tables: " + what); });
  const std::string sound = observer_.execAndGet("PRAGMA integrity_check(1)").getString();
  if (sound != "ok") world.wrong("damaged: " + sound);
}

std::int64_t Invariants::count_jobs(const char* sql) {
  return observer_.execAndGet(sql).getInt64();
}

}  // namespace dl::sim

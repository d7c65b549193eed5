#include "tests/storage/store_fixture.h"

#include <sqlite3.h>

#include "storage/digest.h"

namespace dl {

RequestFormat test_format() {
  RequestFormat format{};
  format.create_target = [](JobKind kind) { return "/" + std::string(names_of(kind).collection); };
  format.status_target = [](JobKind kind, std::string_view id) {
    return "/" + std::string(names_of(kind).collection) + "/" + std::string(id) + "/status";
  };
  format.lookup_target = [](JobKind kind, std::string_view key) {
    return "/" + std::string(names_of(kind).collection) + "?external_id=" + std::string(key);
  };
  format.create_body = [](std::string_view payload, const auto& parents, std::string_view key) {
    std::string body(payload);
    for (const auto& [kind, id] : parents)
      body += "|" + std::string(names_of(kind).name) + "=" + id;
    if (!key.empty()) body += "|external_id=" + std::string(key);
    return body;
  };
  return format;
}

StoreTest::StoreTest() {
  for (int id = fixture::kCampaign; id <= fixture::kHidden; ++id) {
    set_payload(id, "{\"id\":\"job" + std::to_string(id) + "\"}");
  }
  as_daemon(
      "INSERT INTO job_history (job_id, at, rule_id, attempt) VALUES (1, 2000, 1, 1), (5, 2000, 1, "
      "1)");
  facts_.uuid = "11111111-1111-4111-8111-111111111111";
  facts_.pid = 4711;
  facts_.host = "host";
  facts_.version = "test";
  facts_.boot_key = "boot-a";
  facts_.machine_id = "machine";
  policy_.tiers = {{40, 60'000}};
}

Recovery StoreTest::start() {
  store_.reset();
  auto database = Database::open(path(), OpenMode::existing);
  if (!database) {
    ADD_FAILURE() << database.error().message;
    std::abort();
  }
  (*database)->set_busy_wait(std::chrono::milliseconds{50});
  if (own_guards_ == OwnGuards::left_to_others) (*database)->leave_guards_to_others();
  store_ = std::make_unique<Store>(std::move(*database), test_format(), policy_);
  Result<Recovery> recovery = store_->take_over(facts_, now_);
  if (!recovery) {
    ADD_FAILURE() << recovery.error().message;
    return {};
  }
  expect_at_rest();
  return *recovery;
}

void StoreTest::set_payload(int job, const std::string& body) {
  const Status done = database_->transaction(Writer::ingest, [&]() -> Status {
    SQLite::Statement put(database_->handle(),
                          "INSERT INTO job_payload (job_id, body, sha256) VALUES (?1, ?2, ?3) "
                          "ON CONFLICT (job_id) DO UPDATE SET body = ?2, sha256 = ?3");
    const Sha256 digest = sha256(body);
    put.bind(1, job);
    put.bind(2, body);
    put.bind(3, digest.data(), static_cast<int>(digest.size()));
    put.exec();
    return Done{};
  });
  EXPECT_TRUE(done) << done.error().message;
}

void StoreTest::add_job(int id, JobKind kind, const std::vector<int>& parents, int batch) {
  const std::string number = std::to_string(id);
  // of the first of them; the others are waited for as well
  const std::string above = parents.empty() ? "" : job(parents.front(), "key") + "/";
  std::string edges;
  for (const int parent : parents) {
    edges += "INSERT INTO job_edge (parent_id, child_id) VALUES (" + std::to_string(parent) + ", " +
             number + ");";
  }
  as_daemon(
      "INSERT INTO job (id, batch_id, kind, key, root_id, level, open_parents, updated_at) VALUES "
      "(" +
      number + ", " + std::to_string(batch) + ", '" + std::string(names_of(kind).name) + "', '" +
      above + "k" + number + "', 1, 2, " + std::to_string(parents.size()) + ", 2000);" + edges +
      "INSERT INTO job_count (batch_id, kind, state, n) SELECT batch_id, kind, state, 1 FROM job "
      "WHERE id = " +
      number + " ON CONFLICT DO UPDATE SET n = n + 1");
  set_payload(id, "{\"id\":\"job" + number + "\"}");
}

void StoreTest::pass(Millis span) {
  now_.boot_ms += span;
  now_.wall_ms += span;
}

Result<std::vector<WorkResult>> StoreTest::try_commit(const WorkBatch& batch) {
  auto results = store_->commit(std::span(&batch, 1), now_);
  expect_at_rest();
  return results;
}

void StoreTest::expect_at_rest() {
  EXPECT_EQ(sqlite3_txn_state(store_->database().handle().getHandle(), nullptr), SQLITE_TXN_NONE)
      << "a statement still holds its view of the tables";
}

WorkResult StoreTest::commit(const WorkBatch& batch) {
  Result<std::vector<WorkResult>> results = try_commit(batch);
  if (!results) {
    ADD_FAILURE() << results.error().message;
    return {};
  }
  EXPECT_EQ(results->size(), 1U);
  return std::move(results->front());
}

WorkResult StoreTest::ask(int job, Purpose purpose) {
  WorkBatch batch;
  batch.permits.push_back({JobId{job}, purpose, 2, 77});
  return commit(batch);
}

Granted StoreTest::grant(int job, Purpose purpose) {
  WorkResult result = ask(job, purpose);
  if (result.granted.size() != 1 || !result.refused.empty()) {
    ADD_FAILURE() << "job " << job << ": "
                  << (result.refused.empty() ? "?" : result.refused[0].why);
    return {};
  }
  return std::move(result.granted.front());
}

std::string StoreTest::refusal(int job, Purpose purpose) {
  const std::vector<std::string> before = everything();
  const WorkResult result = ask(job, purpose);
  EXPECT_EQ(before, everything()) << "a refused permit writes nothing";
  EXPECT_TRUE(result.granted.empty());
  EXPECT_EQ(result.refused.size(), 1U);
  if (result.refused.size() != 1) return "";
  EXPECT_EQ(result.refused[0].job.value, job);
  EXPECT_EQ(result.refused[0].tag, 77);
  return result.refused[0].why;
}

Applied StoreTest::finish(const Outcome& outcome) {
  WorkBatch batch;
  batch.outcomes.push_back(outcome);
  WorkResult result = commit(batch);
  if (result.applied.size() != 1) {
    ADD_FAILURE() << "one outcome, " << result.applied.size() << " results";
    return {};
  }
  EXPECT_EQ(result.applied[0].request, outcome.request);
  return std::move(result.applied.front());
}

std::vector<JobRef> StoreTest::make_due(int job) {
  WorkBatch batch;
  batch.due.push_back(JobId{job});
  return commit(batch).ready;
}

Granted StoreTest::confirm(int job, const std::string& dsp_id) {
  const Granted post = grant(job);
  EXPECT_TRUE(finish(accepted(post, dsp_id)).matched);
  return post;
}

Applied StoreTest::succeed(int job) {
  confirm(job, "dsp-" + std::to_string(job));
  Applied applied = finish(outcome_of(grant(job, Purpose::status), JobEvent::confirmed));
  EXPECT_TRUE(applied.matched);
  return applied;
}

Granted StoreTest::doubt(int job) {
  const Granted post = grant(job);
  EXPECT_TRUE(finish(unsure(post)).matched);
  return post;
}

std::string StoreTest::state_of(int id) { return job(id, "state"); }

std::string StoreTest::job(int id, const std::string& column) {
  return value("SELECT " + column + " FROM job WHERE id = " + std::to_string(id));
}

std::string StoreTest::request_column(RequestId id, const std::string& column) {
  return value("SELECT " + column + " FROM request WHERE id = " + std::to_string(id.value));
}

LoadedWork StoreTest::load() {
  Result<LoadedWork> loaded = store_->load({}, now_);
  if (!loaded) {
    ADD_FAILURE() << loaded.error().message;
    return {};
  }
  expect_at_rest();
  return std::move(*loaded);
}

TimedJob StoreTest::timed(int job) {
  for (const TimedJob& each : load().timed) {
    if (each.job.id.value == job) return each;
  }
  ADD_FAILURE() << "job " << job << " is not among the timed ones";
  return {};
}

std::vector<std::string> StoreTest::everything() {
  std::vector<std::string> all;
  for (const std::string& table :
       rows("SELECT name FROM sqlite_schema WHERE type = 'table' ORDER BY 1")) {
    for (const std::string& row : rows("SELECT * FROM " + table)) all.push_back(table + ": " + row);
  }
  return all;
}

Outcome outcome_of(const Granted& granted, std::optional<JobEvent> event) {
  Outcome outcome;
  outcome.request = granted.request;
  outcome.job = granted.job.id;
  outcome.purpose = granted.purpose;
  switch (granted.purpose) {
    case Purpose::create:
    case Purpose::resubmit: outcome.from = JobState::submitting; break;
    case Purpose::status: outcome.from = JobState::confirming; break;
    case Purpose::lookup: outcome.from = JobState::in_doubt; break;
  }
  outcome.event = event;
  outcome.http_status = 200;
  outcome.outcome_class = event ? std::string(name_of(*event)) : "undecided";
  outcome.latency_us = 40'000;
  return outcome;
}

Outcome accepted(const Granted& granted, const std::string& dsp_id) {
  Outcome outcome = outcome_of(granted, JobEvent::accepted);
  outcome.http_status = 201;
  outcome.dsp_id = dsp_id;
  outcome.resolution = "accepted";
  outcome.due_in_ms = 500;
  return outcome;
}

Outcome unsure(const Granted& granted) {
  Outcome outcome = outcome_of(granted, JobEvent::unknown);
  outcome.http_status = 0;
  outcome.slot = SlotEnd::unsure;
  outcome.error = "no answer";
  outcome.hold = kHeldByPolicy;
  return outcome;
}

Outcome refused(const Granted& granted) {
  Outcome outcome = outcome_of(granted, JobEvent::refused);
  outcome.http_status = 412;
  outcome.resolution = "refused";
  outcome.error = "HTTP 412";
  outcome.spends_attempt = true;
  outcome.due_in_ms = 2'000;
  return outcome;
}

Outcome undecided(const Granted& granted, Millis due_in_ms) {
  Outcome outcome = outcome_of(granted, std::nullopt);
  outcome.looks = granted.looks + 1;
  outcome.looked = true;
  outcome.due_in_ms = due_in_ms;
  return outcome;
}

}  // namespace dl

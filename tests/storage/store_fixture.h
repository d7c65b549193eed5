// The fixture of sql_fixture.h with a daemon's memory beside it: a Store on a connection of its
// own, a clock that the test turns, and short words for what the dispatcher does (ask, end, pass
// time). Thread rule: one test, one thread.
#pragma once

#include <memory>
#include <string>
#include <vector>

#include "storage/store.h"
#include "tests/storage/sql_fixture.h"

namespace dl {

inline constexpr std::int64_t kWallStart = 1'800'000'000'000;
inline constexpr std::int64_t kBootStart = 10'000'000;

// Whether the store's own connection runs the guards too. dl-daemon leaves them to others, as it is
// cheaper; here they are on, so that a write they would refuse does not go unseen.
enum class OwnGuards { on, left_to_others };

class StoreTest : public SqlTest {
 protected:
  StoreTest();

  // A daemon's start: a new Store takes over; the one before is dead without a word.
  Recovery start();
  // What was not there: the payload of a job, with the hash that belongs to it.
  void set_payload(int job, const std::string& body);
  // One more job of batch 1 (or `batch`), blocked behind `parents`, with a payload.
  void add_job(int id, JobKind kind, const std::vector<int>& parents, int batch = 1);

  void pass(Millis span);  // on both clocks

  Result<std::vector<WorkResult>> try_commit(const WorkBatch& batch);
  WorkResult commit(const WorkBatch& batch);  // expects success
  WorkResult ask(int job, Purpose purpose);
  Granted grant(int job, Purpose purpose = Purpose::create);
  // Why the permit was refused. Expects that nothing at all was written.
  std::string refusal(int job, Purpose purpose = Purpose::create);
  Applied finish(const Outcome& outcome);
  std::vector<JobRef> make_due(int job);  // waiting -> ready

  // A job's way by real transactions. Returns the request that was last open.
  Granted confirm(int job, const std::string& dsp_id);  // ready -> confirming
  Applied succeed(int job);                             // ready -> succeeded, with id "dsp-<job>"
  Granted doubt(int job);  // ready -> in_doubt, the request ended unsure

  std::string state_of(int job);
  // One column of a job.
  std::string job(int id, const std::string& column);
  std::string request_column(RequestId id, const std::string& column);
  LoadedWork load();
  // The one timed job that load() must find.
  TimedJob timed(int job);
  // Between two calls the store holds no snapshot. Asked after each of the above.
  void expect_at_rest();
  // Every row of every table but sqlite's own, as text.
  std::vector<std::string> everything();

  OwnGuards own_guards_ = OwnGuards::on;
  StorePolicy policy_;
  InstanceFacts facts_;
  Moment now_{kBootStart, kWallStart};
  std::unique_ptr<Store> store_;
};

// A readable dialect: what a test compares is what the store handed in.
RequestFormat test_format();

// The end of a request as daemon/core decides it; the fields a test is about are set by the test.
Outcome outcome_of(const Granted& granted, std::optional<JobEvent> event);
Outcome accepted(const Granted& granted, const std::string& dsp_id);
Outcome unsure(const Granted& granted);                       // unknown: held by policy
Outcome refused(const Granted& granted);                      // retryable: an attempt is spent
Outcome undecided(const Granted& granted, Millis due_in_ms);  // a poll that decides nothing

}  // namespace dl

// The memory: the job table, the ledger and the history behind the few questions the dispatcher
// asks. Every answer that leaves here is committed.
//
// The permit transaction (commit) is the only door to the wire: it reads the tables, not anybody's
// memory, and writes intent, lease and permit in one transaction before the first byte leaves.
//
// Thread rule: one thread at a time (the store thread, or the simulator's only one).
// Ownership: owns its Database and prepared statements.
#pragma once

#include <functional>
#include <map>
#include <memory>
#include <span>
#include <string>
#include <string_view>
#include <unordered_map>
#include <vector>

#include "storage/database.h"
#include "storage/generation_file.h"
#include "storage/model/account.h"
#include "storage/model/inquiry.h"
#include "storage/model/rate_spec.h"
#include "storage/model/result.h"
#include "storage/model/work.h"

namespace dl {

// The DSP's dialect, given by the daemon: how a request is written. Plain functions.
struct RequestFormat {
  std::string (*create_target)(JobKind kind);
  std::string (*status_target)(JobKind kind, std::string_view dsp_id);
  std::string (*lookup_target)(JobKind kind, std::string_view key);
  // `payload`: the stored body; `parents`: kind and DSP id of each, to add; `external_id`: the
  // attempt's key, where the account looks up by it, else empty.
  std::string (*create_body)(std::string_view payload,
                             const std::vector<std::pair<JobKind, std::string>>& parents,
                             std::string_view external_id);
};

struct StorePolicy {
  std::string endpoint;     // for the account row
  std::vector<Tier> tiers;  // empty: no limit
  UnknownOutcome unknown_outcome = UnknownOutcome::hold;
  int max_retries = 3;
  Millis settle_ms = 180'000;
  Millis key_lifetime_ms = 86'400'000;  // how long the DSP remembers an idempotency key
  Millis http_timeout_ms = 120'000;
  Millis late_arrival_ms = 60'000;  // D
  bool starts_on_hold = false;      // nothing is sent until an operator's resume
  // --verify: settings and doubts stay as the daemon left them
  bool only_asks = false;
};

// Who we are; see table instance.
struct InstanceFacts {
  std::string uuid;
  std::int64_t pid = 0;
  std::string host;
  std::string version;
  std::string boot_key;
  std::string machine_id;
  std::int64_t lock_device = 0;
  std::int64_t lock_inode = 0;
};

class Store {
 public:
  Store(std::unique_ptr<Database> database, RequestFormat format, StorePolicy policy);
  ~Store();

  // Before take_over(): is this the database that was last sent from? Where the file says that it
  // may not be, take_over() pauses the account until an operator resumes it. Without a call (the
  // simulator, tests) nothing is asked and nothing kept. Errors: of the file.
  Status trust_or_hold(GenerationFile file);
  // Why take_over() has put everything on hold; empty: it has not.
  const std::string& forgotten() const { return forgotten_; }
  // That the ids of this database belong to another endpoint, in words: take_over() has paused the
  // account until an operator resumes it (where it only asks: it has paused nothing). Empty: they
  // do not.
  const std::string& another_endpoint() const { return another_endpoint_; }
  // Call after each take_over(), commit() and stop() that succeeded, before anything of theirs is
  // sent. After an Error nothing that was granted may be sent; only where the file found no room
  // may it be called again.
  Status keep_generation(Moment now);
  bool generation_lacks_room() const { return generation_file_ && generation_file_->lacks_room(); }

  // The caller holds the lock, so every other owner is dead: closes what they left open (their
  // POSTs are in doubt, their polls due again), registers this instance, and reads the limiter's
  // memory.
  Result<Recovery> take_over(const InstanceFacts& facts, Moment now);

  // Applies whole batches in one durable transaction: a result for each, in their order. On an
  // Error nothing was written, so the same batches may be given again. Errors: config, as
  // check_schema(); of this and all that writes below: busy, without SQLite's code, where another
  // instance has taken over.
  Result<std::vector<WorkResult>> commit(std::span<const WorkBatch> batches, Moment now);

  Result<LoadedWork> load(const LoadLimits& limits, Moment now);

  // For --verify. What the DSP can be asked of the jobs with these ids, both included: each attempt
  // of the ledger and, after a restored backup, those that it may have forgotten.
  Result<std::vector<Inquiry>> inquiries(JobId from, JobId to);
  Result<std::int64_t> last_job();  // the highest id; 0: none
  // Its lookup, in the ledger before it leaves; its outcome is recorded by commit(), as of one
  // whose job was taken out of our hands.
  Result<Granted> permit_inquiry(const Inquiry& inquiry, Moment now);
  // Which other job of its kind has this id, or had it and the ledger knows: "job 3 (c1/g1)".
  // Empty: none. Reads all jobs.
  Result<std::string> other_with_id(JobId job, const std::string& dsp_id);

  // True when somebody else committed since the last call.
  bool tables_changed();
  // Error (config): the schema is not the one this instance started with; nothing may be sent.
  Status check_schema();
  // The same, but nearly free: asks only where somebody has created or dropped something since the
  // last time.
  Status check_schema_if_touched();
  Status save_eta(std::int64_t eta_at_ms, const std::string& note);
  Status stop(Moment now);  // a clean end
  Database& database() { return *database_; }
  // Ends this store: the database, as if it were just opened, for another one.
  std::unique_ptr<Database> give_back();

 private:
  struct Facts;
  struct Creation;
  struct Unresolved {
    int count;
    std::int64_t ended_boot_ms;  // the last of them
  };
  using ParentIds = std::vector<std::pair<JobKind, std::string>>;
  SQLite::Statement& sql(std::string_view text);  // with nothing bound
  SQLite::Statement& hot(std::string_view text);  // for bind_all(), which binds everything
  void reset_statements();
  Status transaction(const std::function<Status()>& work);
  void apply(const Outcome& outcome, WorkResult& result, Moment now);
  struct Holder {  // of an id
    JobId job;
    JobKind kind = JobKind::campaign;
  };
  struct Named {
    JobKind kind = JobKind::campaign;
    std::string key;
  };
  std::optional<Outcome> unless_taken(const Outcome& found);
  void find_holders(std::span<const WorkBatch> batches);
  void read_holders();
  void note_holder(const std::string& dsp_id, JobId job, JobKind kind);
  std::optional<JobId> other_holder(const std::string& dsp_id, JobId job);
  Named named(JobId job);
  void close_unsent(RequestId look, Moment now);
  Applied move(const Outcome& outcome, Moment now);
  void promote(JobId parent, std::vector<JobRef>& promoted, Moment now);
  void promote_in_a_second_transaction(std::span<const WorkBatch> batches,
                                       std::vector<WorkResult>& results, Moment now);
  void make_due(JobId job, WorkResult& result, Moment now);
  bool look_up_the_absent(JobId job, Moment now);
  void withdraw_declaration(JobId job, Moment now);
  Unresolved unresolved_posts(JobId job);
  void permit(const Permit& permit, WorkResult& result, Moment now);
  std::string permit_create(const Permit& permit, const Facts& facts, Granted& granted, Moment now);
  std::string permit_resubmit(const Permit& permit, const Facts& facts, Granted& granted,
                              Moment now);
  std::string permit_status(const Permit& permit, const Facts& facts, Granted& granted, Moment now);
  std::string permit_lookup(const Permit& permit, const Facts& facts, Granted& granted, Moment now);
  RequestId write_intent(const Permit& permit, Purpose purpose, const std::string& path,
                         const Granted& granted, RequestId body_of, Moment now);
  RequestId newest_request();
  void lease(const Granted& granted, JobState from, JobState to, Moment now);
  std::optional<Creation> unresolved_creation(const Granted& granted);
  std::string parents_of(const Granted& granted, ParentIds& ids);
  bool id_was_given(JobId job, const std::string& dsp_id);
  void render_create(const std::string& payload, const ParentIds& parents, Granted& granted);
  void keep_to_the_attempts_bytes(const std::string& payload, const ParentIds& parents,
                                  Granted& granted);
  bool key_is_alive(const Creation& first, Moment now) const;
  std::string hold(JobId job, const std::string& why, Moment now);
  void add_history(JobId job, const Rule& rule, int attempt, RequestId request,
                   const std::string& reason, Moment now);
  void count(std::int64_t batch_id, JobKind kind, JobState from, JobState to);
  void write_counts();
  void save(const AccountState& account, Moment now);
  AccountState load_account(Moment now);
  void load_timed(std::string_view text, JobState state, int limit, LoadedWork& loaded, Moment now);
  void wait_until_settled(SQLite::Statement& row, TimedJob& timed, Moment now) const;
  void count_all();
  void reclaim(Recovery& recovery, Moment now);
  void reclaim_post(JobId job, RequestId request, Moment now);
  void read_limiter_memory(Recovery& recovery, Moment now);
  void save_processing(const std::vector<ProcessingBin>& bins);
  void read_processing(Recovery& recovery);
  void settle_policy_change(Moment now);
  void save_settings();
  void put_pause_behind(std::string_view check);
  void hold_account(Moment now);
  void compare_endpoint();
  void pause_for_another_endpoint(Moment now);
  bool endpoint_is_accepted();
  void begin_generation(Moment now);
  void move_generation();

  std::unique_ptr<Database> database_;
  RequestFormat format_;
  StorePolicy policy_;
  InstanceFacts facts_;
  InstanceId instance_;
  // when this boot first saw the ledger since another one was here
  std::int64_t first_boot_ms_ = 0;
  std::optional<GenerationFile> generation_file_;
  std::string forgotten_;
  std::string another_endpoint_;
  std::string recorded_endpoint_;  // where there is another one
  std::int64_t generation_ = 1;
  LastSent last_sent_;                       // committed
  LastSent last_intent_;                     // of the transaction that runs
  std::optional<RequestId> newest_request_;  // as that transaction sees the ledger
  std::string schema_hash_;
  int schema_version_ = 0;  // when it was hashed last, or before
  int data_version_ = 0;
  Totals totals_{};
  struct CountKey {
    std::int64_t batch_id;
    JobKind kind;
    JobState state;
    friend auto operator<=>(const CountKey&, const CountKey&) = default;
  };
  std::map<CountKey, std::int64_t> count_deltas_;
  std::vector<Held> held_;  // by the transaction that runs
  // Of parents, compared with the ledger since this daemon began: at most so many.
  static constexpr std::size_t kGivenIdsMax = 4'096;
  std::unordered_map<std::int64_t, std::string> given_ids_;
  // of the ids that the lookups of this transaction have found without proof
  std::map<std::string, std::vector<Holder>> holders_;
  std::unordered_map<const char*, std::unique_ptr<SQLite::Statement>> statements_;
};

}  // namespace dl

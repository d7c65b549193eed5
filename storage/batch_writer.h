// Writes one batch: jobs, payloads, edges and the user's rows, in transactions that let the daemon
// through, invisible until one last transaction publishes them all.
// Thread rule: as the Database it borrows. Ownership: the caller holds the IngestLock for as long
// as this object lives. A writer that dies leaves an orphan, which remove_orphaned_batches()
// removes. SQLite's exceptions pass through place() and add_rows() up to transaction(), which makes
// them Errors.
#pragma once

#include <cstdint>
#include <functional>
#include <map>
#include <memory>
#include <optional>
#include <span>
#include <string>
#include <unordered_map>
#include <utility>
#include <vector>

#include "storage/database.h"
#include "storage/digest.h"
#include "storage/model/ids.h"
#include "storage/model/job.h"

namespace dl {

// What is known of a batch before its first row; `sha256_hex` and `rows` perhaps later, by
// set_input().
struct BatchHead {
  std::string source;  // file name as given, "stdin", "--line"
  std::int64_t size_bytes = 0;
  std::string sha256_hex;
  std::string format;                  // csv, json, jsonl
  std::optional<std::string> header;   // JSON array of the user's column names
  std::optional<std::string> dialect;  // of CSV
  std::string loaded_by;               // login name
  // of its new jobs; nothing: as their campaign has, if it was there before
  std::optional<int> priority;
  std::int64_t rows = 0;
  std::int64_t now_ms = 0;  // wall clock, UTC
  // of the batches that the same command has loaded before; none: it is the first
  std::optional<BatchId> first_of_command;
};

// What became of an entity of the input.
enum class Fate { created, unchanged, changed, conflict };

struct PlacedJob {
  JobId id;
  JobId root;
  int level = 0;
  int root_priority = 0;
  Fate fate = Fate::unchanged;
  std::string state;      // of a conflict: what the job is in
  bool archived = false;  // its payload is gone: a row that shows it must be kept as it was
};

// An entity to be placed; borrows everything.
struct JobText {
  JobKind kind;
  const std::string& key;
  const std::string& body;
  const Sha256& digest;     // of the body
  std::int64_t line;        // for messages about late conflicts
  const PlacedJob* parent;  // placed before; nullptr for a campaign
};

// A row of the user's sheet.
struct BatchRow {
  std::int64_t number = 0;  // 1 = first row below the header
  std::int64_t line = 0;    // physical line where it begins
  JobId job;                // that it ends in
  // what the payloads do not give back (ingest/user_row.h); nullptr: nothing
  const std::string* raw = nullptr;
};

struct LateConflict {
  std::int64_t line = 0;
  std::string key;
  std::string kind;
  std::string state;
};

// A row of a batch that the same command has loaded before.
struct EarlierRow {
  std::string source;
  std::int64_t line = 0;
};

// New content that took the place of what was there.
struct PayloadChange {
  std::int64_t line = 0;
  JobKind kind = JobKind::campaign;
  std::string body_before;
  std::string body;
  std::optional<EarlierRow> earlier;  // that brought, or had, the content of before
};

// What comes up only while a batch is published.
struct PublishNews {
  static constexpr std::size_t kChangesTold = 1'000;  // more than anybody reads

  std::vector<LateConflict> conflicts;
  // the first of them in the order of the lines, at most kChangesTold
  std::vector<PayloadChange> changes;
};

struct BatchCounts {
  std::int64_t rows = 0;
  std::int64_t created = 0;
  std::int64_t unchanged = 0;
  std::int64_t failed =
      0;  // of the unchanged: they have failed, and loading them again is no retry
  std::int64_t changed = 0;
  // of the changed: an earlier batch of the same command has them with other content
  std::int64_t contradictions = 0;
  std::int64_t conflicts = 0;
};

class BatchWriter {
 public:
  // Makes the batch, in state 'loading'. Errors: SQLite's.
  static Result<std::unique_ptr<BatchWriter>> begin(Database& database, const BatchHead& head);

  ~BatchWriter();
  BatchId id() const { return id_; }

  // Runs `work`, which calls place() and add_rows(), in one transaction. Errors: work's and
  // SQLite's; then nothing of this transaction is there and the batch can only be discarded.
  Status transaction(const std::function<Status()>& work);

  // Creates the jobs, or finds what is there; cheapest for many at a time. No job is
  // the parent of another one in the same call. `placed`: one for each job. Errors: busy, where the
  // batch itself has the key with other content (the file was changed).
  Status place(std::span<const JobText> jobs, std::span<PlacedJob> placed);

  void add_rows(std::span<const BatchRow> rows);

  // Are there jobs whose payload publish() will change?
  bool has_changes();

  // What was not known at the beginning; at the latest before publish().
  void set_input(std::int64_t rows, const std::string& sha256_hex);

  // One transaction: `before_changes` runs in it, then payloads change (a failed job is tried again
  // with its new one), the batch is loaded and jobs without open parents are ready.
  Result<BatchCounts> publish(std::int64_t now_ms, const std::function<Status()>& before_changes,
                              PublishNews& news);

  // Removes all that was written of this batch.
  Status discard();

 private:
  BatchWriter(Database& database, const BatchHead& head);

  struct Statements;  // one prepared statement a file of SQL
  class BulkMode;     // what is switched off while rows are written

  // Where the next job that has no other place goes, and where the next campaign goes.
  std::int64_t first_id_for(bool are_roots, int count) const;
  void take_ids(bool are_roots, int count);
  // The indexes of those that were created; the others are there already.
  std::vector<std::size_t> create(std::span<const JobText> jobs, std::span<PlacedJob> placed);
  void add_content(std::span<const JobText> jobs, std::span<const PlacedJob> placed,
                   const std::vector<std::size_t>& fresh);
  Result<PlacedJob> find(const JobText& job);
  int open_parents_of(const PlacedJob* parent);
  void count(JobKind kind, const char* state, std::int64_t delta);
  bool count_once(JobId id, std::int64_t& counter);  // false: it was counted before
  void apply_changes(std::int64_t now_ms, PublishNews& news);
  std::unordered_map<std::int64_t, EarlierRow> named_earlier();
  void retry(std::int64_t job);
  void make_ready(std::int64_t now_ms);

  Database& database_;
  std::unique_ptr<BulkMode> bulk_mode_;
  std::unique_ptr<Statements> sql_;
  std::string loaded_by_;
  std::string sha256_hex_;
  std::optional<BatchId> first_of_command_;
  BatchId id_;
  std::optional<int> priority_;
  std::int64_t now_ms_;
  std::int64_t next_job_ = 0;       // above all ids given and kept
  std::int64_t next_campaign_ = 0;  // of the block of ids that is kept for campaigns
  std::int64_t campaigns_end_ = 0;  // where that block ends
  std::int64_t campaigns_ = 0;      // created so far
  BatchCounts counts_;
  std::vector<int> open_parents_;  // of the jobs that are being placed
  struct OpenParent {
    JobId id;
    int count = 0;
  };
  OpenParent open_parent_;  // what open_parents_of() was told last
  std::map<std::pair<JobKind, std::string>, std::int64_t>
      deltas_;                 // of job_count, by kind and state
  std::vector<bool> counted_;  // jobs of earlier batches that are in counts_, by id
};

// Removes batches whose loader died before it published them. The caller holds the IngestLock, or
// has just taken it and found it free. `by`: the daemon cuts the log meanwhile, the instance lock
// is its own; anybody else leaves that to a daemon that lives. Returns how many. Errors: SQLite's.
Result<int> remove_orphaned_batches(Database& database, Writer by = Writer::ingest);

}  // namespace dl

// What dl-daemon --verify asks the DSP: which keys, and the ledger rows of its requests, so that
// they count against the limit like all others.
#include <algorithm>
#include <set>

#include "queries_sql.h"
#include "storage/idempotency_key.h"
#include "storage/store.h"
#include "storage/store_columns.h"

namespace dl {
namespace {

// Whose lookups hold no lease (view v_broken_promises, promise 10).
constexpr int kWorkerOfVerify = -1;

Believed believed_of(SQLite::Statement& row, const std::string& dsp_id) {
  if (row.getColumn("is_dead").getInt() != 0) return Believed::dead;
  if (row.getColumn("is_unresolved").getInt() != 0) return Believed::unknown;
  if (row.getColumn("was_declared").getInt() != 0) return Believed::declared;
  return dsp_id.empty() ? Believed::not_there : Believed::there;
}

}  // namespace

Result<std::int64_t> Store::last_job() {
  std::int64_t last = 0;
  const Status ok = database_->guard(database_->path(), [&]() -> Status {
    last = database_->handle().execAndGet("SELECT coalesce(max(id), 0) FROM job").getInt64();
    return Done{};
  });
  if (!ok) return ok.error();
  return last;
}

Result<std::vector<Inquiry>> Store::inquiries(JobId from, JobId to) {
  std::vector<Inquiry> all;
  std::set<std::pair<JobId, int>> sent;
  const Status ok = database_->guard(database_->path(), [&]() -> Status {
    SQLite::Transaction snapshot(database_->handle());  // one view of the tables
    SQLite::Statement& rows = sql(sql::k_inquiries);
    rows.bind(":from", from.value);
    rows.bind(":to", to.value);
    while (rows.executeStep()) {
      Inquiry inquiry;
      inquiry.job = JobId{rows.getColumn("job_id").getInt64()};
      inquiry.job_key = rows.getColumn("key").getString();
      inquiry.kind = kind_column(rows, "kind");
      inquiry.state = state_of(rows.getColumn("state"));
      inquiry.attempt = rows.getColumn("attempt").getInt();
      inquiry.key = rows.getColumn("idempotency_key").getString();
      inquiry.dsp_id = rows.getColumn("dsp_id").getText();
      inquiry.can_be_asked = rows.getColumn("can_be_asked").getInt() != 0;
      inquiry.believed = believed_of(rows, inquiry.dsp_id);
      if (inquiry.believed == Believed::declared)
        inquiry.dsp_id = rows.getColumn("declared_id").getText();
      sent.emplace(inquiry.job, inquiry.attempt);
      all.push_back(std::move(inquiry));
    }
    SQLite::Statement& unsent = sql(sql::k_forgotten_inquiries);
    unsent.bind(":from", from.value);
    unsent.bind(":to", to.value);
    while (unsent.executeStep()) {
      const int last = unsent.getColumn("last_attempt").getInt();
      for (int attempt = unsent.getColumn("attempt").getInt(); attempt <= last; ++attempt) {
        Inquiry inquiry;
        inquiry.job = JobId{unsent.getColumn("id").getInt64()};
        if (sent.contains({inquiry.job, attempt})) continue;
        inquiry.job_key = unsent.getColumn("key").getString();
        inquiry.kind = kind_column(unsent, "kind");
        inquiry.state = state_of(unsent.getColumn("state"));
        inquiry.attempt = attempt;
        inquiry.key = idempotency_key(database_->database_id(), inquiry.job_key, attempt);
        inquiry.believed = Believed::not_there;
        all.push_back(std::move(inquiry));
      }
    }
    return Done{};
  });
  reset_statements();
  if (!ok) return ok.error();
  return all;
}

// No lease: it moves no job, and takes none from anybody.
Result<Granted> Store::permit_inquiry(const Inquiry& inquiry, Moment now) {
  Granted granted;
  granted.purpose = Purpose::lookup;
  granted.job.id = inquiry.job;
  granted.job.kind = inquiry.kind;
  granted.job_key = inquiry.job_key;
  granted.attempt = inquiry.attempt;
  granted.target = format_.lookup_target(inquiry.kind, inquiry.key);
  newest_request_.reset();
  const Status ok = transaction([&]() -> Status {
    Permit permit;
    permit.job = inquiry.job;
    permit.purpose = Purpose::lookup;
    permit.worker = kWorkerOfVerify;
    granted.request = write_intent(permit, Purpose::lookup, granted.target, granted, {}, now);
    return Done{};
  });
  reset_statements();
  if (!ok) return ok.error();
  last_sent_ = last_intent_;
  return granted;
}

}  // namespace dl

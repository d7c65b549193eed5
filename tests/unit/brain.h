// A dispatcher on the test bench: its commands are kept until the test answers them by hand, with
// values only. Time stands still unless the test moves it.
#pragma once

#include <deque>
#include <map>
#include <set>
#include <string>
#include <vector>

#include "daemon/core/dispatcher.h"

namespace dl {

// What the tests vary is named; the rest is the default of the programs.
DispatcherPolicy brain_policy(Lifetime lifetime = Lifetime::for_ever,
                              UnknownOutcome unknown_outcome = UnknownOutcome::hold);

JobRef a_job(std::int64_t id, JobKind kind = JobKind::campaign);
LoadedWork ready_work(std::vector<JobRef> ready);
DspReply answer(int http_status, std::vector<std::string> ids = {});
DspReply silence();
DspReply status_answer(const std::string& status);

class Brain {
 public:
  explicit Brain(const DispatcherPolicy& policy, const Recovery& recovery = {});

  void feed(const Input& input);
  void advance(Millis span) { now_.boot_ms += span, now_.wall_ms += span; }
  Moment now() const { return now_; }

  // Each answers what was asked for and not yet answered; the test fails where nothing was.
  void load(const LoadedWork& work);
  void connect();  // every connection asked for
  void refuse_connections(const std::string& trouble);
  // The first `n` are made, the others find no file descriptor.
  void connect_only(int n, ConnectTrouble lack = ConnectTrouble::open_files);
  void commit();  // the oldest batch: every permit granted, every outcome matched
  void commit_refusing(const std::string& why);
  void commit_unmatched();  // outcomes come too late for their jobs
  void commit_none_due();   // what was believed to be due is not
  void commit_all();        // until no batch is left
  void reply(JobId job, const DspReply& reply, bool reusable = false);
  void wake();                                                  // goes to the time asked for
  void let_commits_take(Millis span) { commits_take_ = span; }  // from the permit to its answer

  // Loads `jobs`, opens connections and grants what is asked for.
  void start_with(std::vector<JobRef> jobs);
  bool is_sent(JobId job) const { return flights_.contains(job); }
  Purpose purpose_of(JobId job) const { return flights_.at(job).request.purpose; }
  const std::string& target_of(JobId job) const { return flights_.at(job).request.target; }
  ConnectionId connection_of(JobId job) const { return flights_.at(job).id; }
  std::vector<JobId> permits_asked() const;  // in batches not yet answered
  std::vector<JobId> on_the_wire() const;

  const Dispatcher& dispatcher() const { return dispatcher_; }
  int loads_asked() const { return loads_asked_; }
  bool is_hung_up(ConnectionId id) const { return hung_up_.contains(id); }
  int connects_asked() const { return static_cast<int>(connects_.size()); }
  std::size_t batches() const { return batches_.size(); }
  const WorkBatch& batch() const { return batches_.front(); }
  LoadLimits last_limits() const { return last_limits_; }
  std::optional<std::int64_t> wake_at() const { return wake_at_; }
  std::optional<Ending> ending() const { return ending_; }
  // What was said to people at this level so far.
  std::vector<std::string> said(command::Say::Level level) const;
  int outcomes_recorded() const { return recorded_; }

 private:
  enum class Answer { grant, refuse, unmatched, none_due };
  void keep(std::vector<AnyCommand> commands);
  void answer_batch(Answer how, const std::string& why);
  Granted granted_for(const Permit& permit);

  Moment now_{1'000'000, 1'790'000'000'000};
  Dispatcher dispatcher_;
  int loads_asked_ = 0;
  LoadLimits last_limits_;
  std::deque<WorkBatch> batches_;
  std::vector<ConnectionId> connects_;
  std::set<ConnectionId> hung_up_;
  std::map<JobId, command::Send> flights_;
  std::map<JobId, JobRef> known_;
  std::map<JobId, int> setbacks_;
  std::vector<command::Say> said_;
  std::optional<std::int64_t> wake_at_;
  std::optional<Ending> ending_;
  int recorded_ = 0;
  std::int64_t next_request_ = 1;
  Millis commits_take_ = 0;
};

}  // namespace dl

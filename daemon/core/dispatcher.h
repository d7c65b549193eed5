// The brain: what to do next, decided from values alone. Inputs in, commands out; no clock, socket,
// SQL, log or thread in here, so one seed replays a day. Two interpreters run its commands: the
// daemon with threads and sockets, and the simulator with a queue of events.
//
// The tables have the last word: a permit that the dispatcher asks for is checked and written by
// the store in one transaction, and only what comes back Granted is sent.
//
// Thread rule: one thread at a time. Ownership: owns limiter, schedule and its view of the work.
#pragma once

#include <array>
#include <cstdint>
#include <deque>
#include <map>
#include <optional>
#include <string>
#include <unordered_map>
#include <unordered_set>
#include <variant>
#include <vector>

#include "daemon/core/connections.h"
#include "daemon/core/decide.h"
#include "daemon/core/dsp.h"
#include "daemon/core/eta.h"
#include "daemon/core/limiter.h"
#include "daemon/core/outcome.h"
#include "daemon/core/schedule.h"
#include "daemon/core/work_list.h"
#include "storage/model/work.h"

namespace dl {

enum class Lifetime {
  for_ever,  // wait for more work
  drain,     // end when nothing is left that could be sent
};

struct DispatcherPolicy {
  LimiterPolicy limiter;
  DecisionPolicy decision;
  int workers = 3;
  int connections_per_worker = 1;  // before the next worker gets any
  int in_flight_max = 32;          // requests on the wire at once
  Millis http_timeout_ms = 120'000;
  Millis unreachable_timeout_ms = 60'000;  // --drain: no server for so long ends it
  Lifetime lifetime = Lifetime::for_ever;
  // A DSP that answers within this is so near that a commit takes about as long: permits are asked
  // for ahead.
  Millis nearby_ms = 50;
  // How a look at a status is written. Given, the intent of an entity's first look is committed
  // with its POST's where permits abound, so that the look follows the answer at once. It takes its
  // slot when it leaves: else it would hold one through the processing.
  std::string (*status_target)(JobKind kind, std::string_view dsp_id) = nullptr;
};

namespace input {
struct Woke {};  // the time asked for by WakeAt has come
// somebody else committed, or time to look again
struct TablesChanged {};
// the answer to LoadWork
struct Loaded {
  LoadedWork work;
};
// the answer to CommitWork, in their order
struct Committed {
  WorkResult result;
};
struct Connected {
  ConnectionId id;
};
struct ConnectFailed {
  ConnectionId id;
  std::string trouble;
  ConnectTrouble what = ConnectTrouble::dsp;
};
struct Closed {
  ConnectionId id;
};
struct Replied {
  ConnectionId id;
  RequestId request;
  DspReply reply;
  bool reusable = false;
};
struct TokenChanged {};  // the token file has new content
struct StopAsked {};     // SIGTERM: finish what is on the wire, then end
}  // namespace input
using Input = std::variant<input::Woke, input::TablesChanged, input::Loaded, input::Committed,
                           input::Connected, input::ConnectFailed, input::Closed, input::Replied,
                           input::TokenChanged, input::StopAsked>;

// Why the dispatcher has finished.
enum class Ending {
  stopped,       // asked to
  drained,       // nothing is left that could be sent
  unreachable,   // --drain: no server for unreachable_timeout
  unauthorized,  // --drain: the account is paused for credentials
};

namespace command {
struct CommitWork {
  WorkBatch batch;
};
struct LoadWork {
  LoadLimits limits;
};
struct Connect {
  ConnectionId id;
};
struct Close {
  ConnectionId id;
};
struct Send {
  ConnectionId id;
  DspRequest request;
};
// replaces an earlier one
struct WakeAt {
  std::int64_t boot_ms = 0;
};
// For the log: one per finished request, and one per thing that people should know.
struct Record {
  JobId job;
  std::string key;
  int attempt = 1;
  Purpose purpose = Purpose::create;
  int http_status = 0;  // 0: none came
  std::string outcome_class;
  std::int64_t latency_us = 0;
  JobState next = JobState::submitting;  // of the job
  bool matched = true;                   // false: an operator had taken the job
  std::string error;
};
struct Say {
  enum class Level { info, warning, error } level = Level::info;
  std::string text;
};
struct Finish {
  Ending ending = Ending::stopped;
};
}  // namespace command
using AnyCommand =
    std::variant<command::CommitWork, command::LoadWork, command::Connect, command::Close,
                 command::Send, command::WakeAt, command::Record, command::Say, command::Finish>;

// For the progress line: what the dispatcher would say if asked.
struct Standing {
  Totals totals{};
  int on_the_wire = 0;
  std::optional<std::int64_t> next_send_boot_ms;  // nothing: waits for an answer or for work
  Outlook outlook;                                // when it will be done, or why nobody knows
};

class Dispatcher {
 public:
  Dispatcher(const DispatcherPolicy& policy, const Recovery& recovery, Moment now);
  Dispatcher(const Dispatcher&) = delete;  // its parts refer to each other
  Dispatcher& operator=(const Dispatcher&) = delete;

  // The first commands: load the work.
  std::vector<AnyCommand> start(Moment now);
  // Inputs are taken one by one, in their order; what follows from all of them is planned at once,
  // so that a heap of inputs costs one plan.
  void take(Input& input, Moment now);
  std::vector<AnyCommand> plan(Moment now);
  std::vector<AnyCommand> handle(Input input, Moment now) {
    take(input, now);
    return plan(now);
  }
  Standing standing(Moment now) const;
  // empty: there was none
  const std::string& last_connect_trouble() const { return last_trouble_; }

 private:
  struct Flight {  // on the wire, or about to be
    Granted granted;
    ConnectionId connection;
    std::int64_t sent_boot_ms = 0;
    std::int64_t posted_boot_ms = 0;  // when the creation was sent: a poll's age counts from here
    Millis looked_age_ms = kNeverLooked;
    Ticket ticket;
    std::optional<std::int64_t> missed_boot_ms{};  // when its end was first seen to be overdue
  };
  // when a connection is free for it: it is, or once it has carried what it carries
  enum class Turn { now, next };
  struct AskedPermit {
    ConnectionId connection;
    Candidate candidate;
    Ticket ticket;
    Turn turn = Turn::now;
  };
  // goes out on a connection after the request that it carries, and after those before it in line
  struct Next {
    std::int64_t tag = 0;                                   // of its permit
    std::optional<std::pair<Granted, AskedPermit>> permit;  // nothing: on its way to the tables
    std::int64_t waits_since_boot_ms = 0;  // behind the request that is on the wire now
    bool is_awaited = false;               // the connection is free by now
  };
  struct Decided {  // an outcome on its way to the tables
    Granted granted;
    Outcome outcome;
    std::int64_t posted_boot_ms = 0;
    Millis looked_age_ms = kNeverLooked;
    bool look_follows = false;  // the first look is on the wire already
  };
  struct PermitRefusals {
    int in_a_row = 0;   // kShelvedAfter: set aside until the tables change
    bool told = false;  // people know
  };
  static constexpr int kShelvedAfter = 2;
  struct SentBatch {
    std::vector<Decided> decided;
    std::unordered_map<std::int64_t, AskedPermit> asked;  // by tag
    std::vector<JobId> due;
    bool writes_pause = false;
  };

  void on(const input::Woke&, Moment now);
  void on(const input::TablesChanged&, Moment now);
  void on(const input::Loaded& loaded, Moment now);
  void on(input::Committed& committed, Moment now);
  void on(const input::Connected& connected, Moment now);
  void on(const input::ConnectFailed& failed, Moment now);
  void on(const input::Closed& closed, Moment now);
  void on(input::Replied& replied, Moment now);
  void on(const input::TokenChanged&, Moment now);
  void on(const input::StopAsked&, Moment now);

  void note_whether_answered(const DspReply& reply, ConnectionId id, Moment now);
  void note_reached();
  void note_connected();
  void note_slammed(const std::string& trouble, ConnectionId id, Moment now);
  void note_failed_knock(const std::string& trouble, ConnectionId id, Moment now);
  bool is_silent() const;
  bool is_done_at_once(JobKind kind) const;
  bool looks_at_once(JobKind kind, Moment now) const;
  void look_at_once(const input::Replied& replied, const Flight& flight, Outcome& outcome,
                    Moment now);
  void note_unreached(Moment now);
  void make_do_with_fewer(const std::string& trouble, Moment now);
  int connections_max(Moment now) const;
  void take_back(ConnectionId id, bool reusable);
  void heed_headers(const DspReply& reply, const Ticket& ticket, Moment now);
  DecisionContext context_of(const Flight& flight, const DspReply& reply, Moment now) const;
  void settle_account(const DspReply& reply, OutcomeClass what, const Flight& flight,
                      bool others_pass, Moment now);
  void settle_refusal(const DspReply& reply, const Flight& flight, Moment now);
  void settle_unauthorized(const DspReply& reply, const Flight& flight, bool others_pass,
                           Moment now);
  void retire_connections();
  void hang_up(ConnectionId id);
  void pause_for_credentials(const std::string& reason, Moment now);
  bool is_set_back(JobId job) const { return accepted_at_setback_.contains(job); }
  bool asks_another() const;
  bool probes_credentials(Moment now) const;
  void apply(Decided& decided, const Applied& applied, Moment now);
  void send(Granted& granted, const AskedPermit& asked, Moment now);
  void take_refusal(const Refused& refused, const AskedPermit& asked, Moment now);
  bool is_shelved(JobId job) const;
  void became_ready(const JobRef& job);
  void note_progress(Moment now);
  void note_round_trip(const Flight& flight, Moment now);
  Going going(const Tally& tally, Moment now) const;
  std::string stalled_by(const Tally& tally, Moment now) const;
  std::string closed_by(Moment now) const;
  Outlook outlook(const Tally& tally, Moment now) const;
  void note_lookup(OutcomeClass what, const Flight& flight);
  void learn(OutcomeClass what, const Flight& flight);
  void judge_end_game();
  bool is_limited() const { return schedule_.pace() == Pace::limited; }
  void ask(const Candidate& candidate, ConnectionId connection, Turn turn, Moment now);
  bool permits_abound(Moment now) const;
  bool asks_ahead(Moment now) const;
  void ask_ahead(Moment now);
  static std::size_t ahead_of_each(int in_flight_max);
  Next* find_next(ConnectionId id, std::int64_t tag);
  void forget_next(ConnectionId id, std::int64_t tag);
  void granted_ahead(Granted& granted, const AskedPermit& asked, Moment now);
  void refused_ahead(const Refused& refused, ConnectionId id, Moment now);
  void free_connection(ConnectionId id, bool reusable, Moment now);
  void drop_nexts(ConnectionId id, Moment now);
  void give_back_what_waits(Moment now);
  void give_back(Granted& granted, Moment now);
  int asked_now() const { return asked_permits_ - asked_ahead_; }
  void take_off(RequestId id, Flight flight);
  void give_up_lost_flights(Moment now);
  void fire_timers(Moment now);
  std::optional<Candidate> next_candidate(Moment now);
  std::optional<std::int64_t> next_work_at() const;
  void ask_permits(Moment now);
  void open_connections(Moment now);
  bool may_send(Moment now) const;
  Freshness freshness_for(Purpose purpose) const;
  void look_for_the_end();
  void ask_load();
  void set_wake(Moment now);
  void say(command::Say::Level level, std::string text);
  void tell_held(const std::vector<Held>& held);
  void tell_late_reply(const input::Replied& replied);
  std::vector<AnyCommand> flush(Moment now);

  DispatcherPolicy policy_;
  Limiter limiter_;
  Schedule schedule_;
  Connections connections_;
  WorkList work_;
  std::map<RequestId, Flight> flights_;
  std::deque<SentBatch> sent_batches_;  // CommitWork not yet answered
  // jobs with a permit asked for, a request out, or an outcome on its way
  std::unordered_set<JobId> busy_;
  // since the job's last granted permit
  std::unordered_map<JobId, PermitRefusals> permit_refusals_;
  int shelved_ = 0;  // of them
  WorkBatch outbox_;
  SentBatch outbox_notes_;
  std::vector<AnyCommand> commands_;

  std::int64_t next_tag_ = 1;
  // the last entity of this kind was accepted with a Retry-After
  std::array<bool, 3> asked_to_wait_{};
  // or later: the first of flights_ may have ended since
  std::int64_t next_lost_flight_at_ = INT64_MAX;
  int asked_permits_ = 0;  // permits on their way to the tables
  int asked_ahead_ = 0;    // of them for connections that still carry something
  // in the order in which they go out; none is empty
  std::map<ConnectionId, std::deque<Next>> nexts_;
  std::size_t ahead_of_each_;  // permits behind one connection, at most
  // creations on the wire with room behind them; some have ended since
  std::deque<std::pair<ConnectionId, RequestId>> carrying_;
  std::int64_t next_given_back_at_ = INT64_MAX;
  int loads_asked_ = 0;        // LoadWork not yet answered
  bool load_again_ = false;    // the tables changed since
  bool drained_once_ = false;  // nothing was left; look once more before ending
  bool stopping_ = false;
  bool finished_ = false;
  AccountState account_;
  std::int64_t probe_credentials_at_ = 0;
  bool account_changed_ = false;
  bool pause_changed_ = false;  // by ourselves, and not yet handed to the tables
  // of those on their way to the tables: until then memory is newer
  int pause_writes_ = 0;
  bool pause_unread_ = false;        // the tables said something meanwhile: ask them again
  std::int64_t accepted_count_ = 0;  // requests the DSP accepted: "others pass"
  // jobs that were refused the last time
  std::unordered_map<JobId, std::int64_t> accepted_at_setback_;
  std::unordered_map<JobId, int> failed_lookups_;  // in a row
  // jobs that met 401 or 403 since the DSP last took our credentials
  int unauthorized_ = 0;
  int connect_failures_ = 0;  // since the last answer
  int unanswered_ = 0;        // requests since then
  std::int64_t connect_again_at_ = 0;
  std::optional<std::int64_t> unreachable_since_;
  std::optional<std::int64_t> unreachable_before_;  // the last connection was made
  // connecting has failed for unreachable_timeout, to the last try
  bool unreachable_ = false;
  std::string last_trouble_;
  // connections, as long as files may not be opened without limit; and until when
  int files_allow_ = 0;
  std::int64_t files_allow_until_ = 0;
  std::int64_t files_told_at_ = INT64_MIN / 2;  // people know
  bool connections_stay_ = true;                // the last request left its connection usable
  double round_trip_ms_ = 0;                    // smoothed
  // of status, and how many of them found the end, faded: looks an entity takes, to begin with one
  double polls_ = 20;
  double confirmed_ = 20;
  Trend trend_;                        // of the permits left
  bool end_game_ = false;              // so little work is left that latency matters most
  std::int64_t learned_saved_at_ = 0;  // when what the schedule learned went to the tables
  bool save_learned_ = false;          // now, whatever the time
  Totals totals_{};
};

}  // namespace dl

#include "daemon/daemon.h"

#include <sys/stat.h>

#include <unistd.h>
#include <boost/asio/io_context.hpp>
#include <boost/asio/post.hpp>
#include <boost/asio/signal_set.hpp>
#include <boost/asio/steady_timer.hpp>
#include <csignal>
#include <optional>

#include <utility>

#include "daemon/core/dispatcher.h"
#include "daemon/core/eta.h"
#include "daemon/debug_lines.h"
#include "daemon/dsp/inbox.h"
#include "daemon/dsp/worker_pool.h"
#include "daemon/store_thread.h"
#include "daemon/systemd_notify.h"
#include "daemon/thread_watch.h"
#include "storage/fault/fault_point.h"

namespace dl {
namespace {

namespace net = boost::asio;

constexpr std::chrono::milliseconds kTick{250};  // progress, token file, lock file
constexpr int kTicksPerPlainLine = 40;           // without a terminal: a line every 10 s
constexpr int kTicksPerEta = 40;
constexpr std::chrono::milliseconds kThreadsAsked{10'000};  // at least
// what is said again within it is said once
constexpr std::chrono::milliseconds kOneSignal{1'000};

std::int64_t modified_at(const std::string& path) {
  struct stat info {};
  if (path.empty() || stat(path.c_str(), &info) != 0) return 0;
  return info.st_mtim.tv_sec * 1'000'000'000 + info.st_mtim.tv_nsec;
}

bool is_ignored(int signal) {
  struct sigaction now {};
  return sigaction(signal, nullptr, &now) == 0 && now.sa_handler == SIG_IGN;
}

class Daemon {
 public:
  explicit Daemon(DaemonParts parts);
  int run();

 private:
  void feed(Input input);
  void carry_out(std::vector<AnyCommand> commands);
  // From any thread.
  void put_input(Input input) {
    if (inbox_.put(std::move(input))) net::post(io_, [this] { feed_all(); });
  }
  void feed_all();
  StoreEvents store_events();
  WireEvents wire_events();

  void carry_out(command::CommitWork& command) { store_.commit(std::move(command.batch)); }
  void carry_out(command::LoadWork& command) { store_.load(command.limits); }
  void carry_out(command::Connect& command) { pool_->connect(command.id); }
  void carry_out(command::Close& command) { pool_->close(command.id); }
  void carry_out(command::Send& command) { pool_->send(command.id, std::move(command.request)); }
  void carry_out(command::WakeAt& command);
  void carry_out(command::Record& command);
  void carry_out(command::Say& command);
  void carry_out(command::Finish& command);

  void set_wake_timer();
  void await_signal();
  void on_signal(int number);
  ThreadWatch thread_watch();
  void tick();
  void show_progress();
  void save_last_outlook();
  void fail(const Error& error, bool fatal);
  int exit_code_of(Ending ending) const;

  const Config& config_;
  Log& log_;
  DebugLines debug_;
  Clock clock_;
  const InstanceLock& lock_;
  net::io_context io_{1};
  Inbox<Input> inbox_;
  std::vector<Input> inputs_;  // taken from it
  net::steady_timer wake_timer_{io_};
  std::int64_t wake_at_boot_ms_ = INT64_MAX;     // when the brain wants to be woken
  std::int64_t timer_ends_boot_ms_ = INT64_MAX;  // when the timer is set to; none runs
  net::steady_timer tick_timer_{io_};
  net::signal_set signals_{io_, SIGTERM, SIGINT};
  Dispatcher dispatcher_;
  StoreThread store_;
  std::unique_ptr<WorkerPool> pool_;
  std::int64_t token_modified_at_;
  ThreadWatch thread_watch_;
  std::int64_t ticks_ = 0;
  std::string last_plain_line_;
  std::optional<Outlook::State> saved_state_;
  bool stop_asked_ = false;
  std::optional<std::chrono::steady_clock::time_point> told_at_;  // by somebody: SIGTERM or SIGINT
  bool finished_ = false;
  bool has_failed_ = false;
  int exit_code_ = 0;
};

Daemon::Daemon(DaemonParts parts)
    : config_(parts.config),
      log_(parts.log),
      debug_(parts.log),
      clock_(parts.clock),
      lock_(parts.lock),
      dispatcher_(dispatcher_policy(parts.config), parts.recovery, parts.clock.now()),
      store_(std::move(parts.store), parts.clock, store_events(),
             {.check_lock = [this] { return lock_.check_file(); }}),
      token_modified_at_(modified_at(parts.config.token_file)),
      thread_watch_(thread_watch()) {
  // A service has no terminal that could be closed: who says SIGHUP there means "reload", and there
  // is nothing to reload.
  if (has_service_manager()) std::signal(SIGHUP, SIG_IGN);
  if (!is_ignored(SIGHUP)) signals_.add(SIGHUP);  // nohup(1) has it ignored
}

ThreadWatch Daemon::thread_watch() {
  std::vector<WatchedThread> threads;
  threads.push_back({"the thread that writes the database (does the disk stand still?)",
                     [this] { store_.ask(); }, [this] { return store_.has_answered(); }});
  threads.push_back({"a thread that talks with the DSP", [this] { pool_->ask(); },
                     [this] { return pool_->have_answered(); }});
  ThreadWatch::Says says;
  says.all_alive = notify_watchdog;
  says.silent = [this](const std::string& who) {
    log_.error(who +
               (watchdog_interval()
                    ? "; if it never does, systemd's watchdog ends this daemon"
                    : "; if it never does, end this daemon (kill -9) and start it again") +
               ": what was on the wire is then taken over");
  };
  says.all_again = [this](const std::string& what) { log_.info(what); };
  return {std::move(threads), std::min(kThreadsAsked, watchdog_interval().value_or(kThreadsAsked)),
          std::move(says)};
}

StoreEvents Daemon::store_events() {
  StoreEvents events;
  events.committed = [this](WorkResult result) { put_input(input::Committed{std::move(result)}); };
  events.loaded = [this](LoadedWork work) { put_input(input::Loaded{std::move(work)}); };
  events.tables_changed = [this] { put_input(input::TablesChanged{}); };
  events.failed = [this](Error error, bool fatal) {
    net::post(io_, [this, error = std::move(error), fatal] { fail(error, fatal); });
  };
  return events;
}

WireEvents Daemon::wire_events() {
  WireEvents events;
  events.connected = [this](ConnectionId id) { put_input(input::Connected{id}); };
  events.connect_failed = [this](ConnectionId id, std::string trouble, ConnectTrouble what) {
    put_input(input::ConnectFailed{id, std::move(trouble), what});
  };
  events.closed = [this](ConnectionId id) { put_input(input::Closed{id}); };
  events.replied = [this](ConnectionId id, RequestId request, DspReply reply, bool reusable) {
    reply.latency_us = clock_.scaled_us(reply.latency_us);
    put_input(input::Replied{id, request, std::move(reply), reusable});
  };
  return events;
}

int Daemon::run() {
  pool_ =
      std::make_unique<WorkerPool>(wire_policy(config_, clock_), config_.workers, wire_events());
  await_signal();
  carry_out(dispatcher_.start(clock_.now()));
  notify_ready("sending to " + config_.endpoint->text());
  if (config_.standby) notify_taken_over();
  tick();
  io_.run();
  pool_->stop();  // nothing is sent after this
  store_.stop();  // commits what was given, marks the instance as stopped
  io_.restart();
  io_.poll();  // a last failure of the store
  log_.show_progress("");
  // All is recorded and said. A DNS server that is silent would keep us, and the lock, for another
  // minute.
  if (pool_->awaits_name()) std::_Exit(exit_code_);
  pool_.reset();
  return exit_code_;
}

void Daemon::feed(Input input) {
  if (finished_) return;
  carry_out(dispatcher_.handle(std::move(input), clock_.now()));
}

void Daemon::feed_all() {
  inbox_.take(inputs_);
  if (finished_) return;
  const Moment now = clock_.now();
  for (Input& input : inputs_) {
    debug_.note(input);
    dispatcher_.take(input, now);
  }
  carry_out(dispatcher_.plan(now));
}

void Daemon::carry_out(std::vector<AnyCommand> commands) {
  const Log::Together together(log_);
  for (AnyCommand& command : commands) {
    debug_.note(command);
    std::visit([this](auto& what) { carry_out(what); }, command);
  }
}

// The timer that runs is left alone where it ends early enough: it is set anew when it fires. With
// every answer the brain names another moment, nearly always a later one.
void Daemon::carry_out(command::WakeAt& command) {
  wake_at_boot_ms_ = command.boot_ms;
  if (timer_ends_boot_ms_ > wake_at_boot_ms_) set_wake_timer();
}

void Daemon::set_wake_timer() {
  timer_ends_boot_ms_ = wake_at_boot_ms_;
  const Millis span = std::max<Millis>(0, wake_at_boot_ms_ - clock_.now().boot_ms);
  wake_timer_.expires_after(clock_.real(span));
  wake_timer_.async_wait([this](boost::system::error_code error) {
    if (error) return;
    timer_ends_boot_ms_ = INT64_MAX;
    if (clock_.now().boot_ms < wake_at_boot_ms_) return set_wake_timer();
    feed(input::Woke{});
  });
}

void Daemon::carry_out(command::Record& command) {
  OutcomeLine line;
  line.job = command.job;
  line.key = command.key;
  line.attempt = command.attempt;
  line.purpose = name_of(command.purpose);
  line.http_status = command.http_status;
  line.outcome = command.outcome_class;
  line.latency_us = command.latency_us;
  line.next_state = command.matched ? name_of(command.next) : "as the tables say";
  line.error = command.error;
  const bool bad = command.next == JobState::failed || command.next == JobState::in_doubt;
  log_.outcome(bad ? LogLevel::warning : LogLevel::info, line);
}

void Daemon::carry_out(command::Say& command) {
  switch (command.level) {
    case command::Say::Level::info: return log_.info(command.text);
    case command::Say::Level::warning: return log_.warning(command.text);
    case command::Say::Level::error: return log_.error(command.text);
  }
}

void Daemon::carry_out(command::Finish& command) {
  DL_FAULT_POINT("shutdown.drained");
  show_progress();
  save_last_outlook();
  finished_ = true;
  exit_code_ = exit_code_of(command.ending);
  notify_stopping(std::chrono::seconds{30});
  io_.stop();
}

int Daemon::exit_code_of(Ending ending) const {
  const Tally tally = tally_of(dispatcher_.standing(clock_.now()).totals);
  switch (ending) {
    case Ending::stopped:
      log_.info("stopped: everything that was on the wire is recorded");
      // none: told to stop before the first load
      if (config_.drain && (tally.total == 0 || tally.succeeded != tally.total))
        return static_cast<int>(Errc::incomplete);
      return 0;
    case Ending::drained:
      log_.info("drained: " + progress_text(tally, Outlook{Outlook::State::done, {}, ""}));
      return tally.succeeded == tally.total ? 0 : static_cast<int>(Errc::incomplete);
    case Ending::unreachable:
      log_.error("the DSP at " + config_.endpoint->text() + " was out of reach for " +
                 span_text(config_.unreachable_timeout_ms) + " (" +
                 dispatcher_.last_connect_trouble() +
                 "); nothing is lost, start again when it is back");
      return static_cast<int>(Errc::unavailable);
    case Ending::unauthorized:
      log_.error("no usable credentials (" + dispatcher_.standing(clock_.now()).outlook.reason +
                 "); nothing is lost, mend them and start again");
      return static_cast<int>(Errc::no_permission);
  }
  return static_cast<int>(Errc::software);
}

void Daemon::await_signal() {
  signals_.async_wait([this](boost::system::error_code error, int number) {
    if (error) return;
    on_signal(number);
    await_signal();
  });
}

// The first asks for a clean end; the second leaves at once, and what was on the wire is in doubt.
// A terminal that is closed says SIGHUP, its shell may say it again, and who ends the session says
// SIGTERM behind it: that is nobody's impatience. Nor is timeout(1), which tells us and then its
// whole group. Once all is recorded there is nothing to leave.
void Daemon::on_signal(int number) {
  if (finished_) return;
  const auto now = std::chrono::steady_clock::now();
  if (number != SIGHUP && now - told_at_.value_or(now) >= kOneSignal) {
    log_.warning("second signal: leaving at once; what is on the wire will be in doubt");
    std::_Exit(static_cast<int>(Errc::incomplete));
  }
  if (number != SIGHUP && !told_at_) told_at_ = now;
  if (std::exchange(stop_asked_, true)) return;
  notify_stopping(std::chrono::milliseconds{config_.http_timeout_ms + 10'000});
  log_.info(
      "stopping: finishing what is on the wire (another signal, a second from now or later, leaves "
      "at once)");
  DL_FAULT_POINT("shutdown.signal");
  feed(input::StopAsked{});
}

void Daemon::tick() {
  if (finished_) return;
  tick_timer_.expires_after(kTick);
  tick_timer_.async_wait([this](boost::system::error_code error) {
    if (!error) tick();
  });
  thread_watch_.look(std::chrono::steady_clock::now());
  if (const std::int64_t modified = modified_at(config_.token_file);
      modified != token_modified_at_) {
    token_modified_at_ = modified;
    log_.info("the token file has changed");
    feed(input::TokenChanged{});
  }
  // The store asks as well; but its disk may stand still.
  if (Status ours = lock_.check(); !ours) return fail(ours.error(), true);
  // A suspended machine's steady clock stood still, and the timer with it; the boot clock did not.
  if (timer_ends_boot_ms_ < clock_.now().boot_ms) set_wake_timer();
  show_progress();
  ++ticks_;
}

void Daemon::show_progress() {
  const Moment now = clock_.now();
  const Standing standing = dispatcher_.standing(now);
  debug_.note(standing, now);
  const Tally tally = tally_of(standing.totals);
  const Outlook& outlook = standing.outlook;
  const std::string text = progress_text(tally, outlook);
  log_.show_progress(text);
  const bool has_loaded = tally.total > 0;
  if (has_loaded && ticks_ % kTicksPerPlainLine == 1 && text != last_plain_line_) {
    notify_status(text);
    if (config_.drain && config_.progress == ProgressStyle::automatic && isatty(STDERR_FILENO) == 0)
      log_.info("progress: " + text);
    last_plain_line_ = text;
  }
  const bool has_turned = outlook.state != saved_state_;
  if (!has_loaded || (ticks_ % kTicksPerEta != 0 && !has_turned)) return;
  // an idle daemon does not write
  if (outlook.state == Outlook::State::done && !has_turned) return;
  store_.save_eta(outlook.left_ms ? now.wall_ms + *outlook.left_ms : 0, outlook_text(outlook));
  saved_state_ = outlook.state;
}

// What stays true once nobody is here to say more: a time when all is done does not.
void Daemon::save_last_outlook() {
  const Standing standing = dispatcher_.standing(clock_.now());
  const bool stays = standing.outlook.state == Outlook::State::done ||
                     standing.outlook.state == Outlook::State::stalled;
  if (tally_of(standing.totals).total == 0) return;
  store_.save_eta(0, stays ? outlook_text(standing.outlook) : "stalled: dl-daemon was stopped");
}

void Daemon::fail(const Error& error, bool fatal) {
  if (!fatal) return log_.warning(error.message + "; trying again");
  if (std::exchange(has_failed_, true)) return;  // the other thread has noticed, too
  log_.error(error.message);
  exit_code_ = static_cast<int>(error.code);
  finished_ = true;
  // nobody awaits them any more: the next one ends us, whatever the store waits for
  signals_.clear();
  io_.stop();
}

}  // namespace

int run_daemon(DaemonParts parts) { return Daemon(std::move(parts)).run(); }

}  // namespace dl

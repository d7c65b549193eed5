#include "daemon/verify_command.h"

#include <unistd.h>

#include <cstdio>
#include <filesystem>
#include <map>
#include <string>
#include <system_error>
#include <utility>

#include "daemon/daemon.h"
#include "daemon/instance_lock.h"
#include "daemon/reconcile.h"
#include "daemon/take_over.h"
#include "storage/archive_file.h"
#include "storage/database.h"
#include "storage/migrator.h"
#include "storage/verifier.h"

namespace dl {
namespace {

using Kind = Finding::Kind;

int report(const Error& error) {
  std::fprintf(stderr, "dl-daemon: %s\n", error.message.c_str());
  return static_cast<int>(error.code);
}

// Why the DSP is not asked, as far as the configuration says; empty: it is.
std::string why_not_asked(const Config& config) {
  if (config.offline) return "--offline";
  if (!config.endpoint) return "no endpoint is given";
  switch (config.unknown_outcome) {
    case UnknownOutcome::hold: return "it offers no lookup, for unknown_outcome is hold";
    case UnknownOutcome::resubmit: return "it offers no lookup, for unknown_outcome is resubmit";
    case UnknownOutcome::lookup: break;
  }
  return "";
}

class Findings {
 public:
  void add(const Finding& finding) {
    ++counts_[finding.kind];
    std::string line = std::string(name_of(finding.kind)) + ": ";
    if (finding.job_id != 0)
      line += "job " + std::to_string(finding.job_id) + " " + finding.key + ": ";
    std::puts((line + finding.what).c_str());
  }
  // Prints the sum. 0: all is well.
  int end(const Verified& verified, const std::string& dsp) const {
    const std::string sum = std::to_string(verified.jobs) + " jobs, " +
                            std::to_string(verified.requests) + " requests: " + of(Kind::broken) +
                            ", " + of(Kind::in_doubt) + "; " + dsp;
    std::puts(sum.c_str());
    if (std::fflush(stdout) != 0) return report({Errc::io, "the findings could not be written"});
    for (const auto& [kind, n] : counts_) {
      if (kind != Kind::remark && n > 0) return static_cast<int>(Errc::incomplete);
    }
    return 0;
  }
  std::string of(Kind kind) const {
    const auto found = counts_.find(kind);
    return std::to_string(found == counts_.end() ? 0 : found->second) + " " +
           std::string(name_of(kind));
  }

 private:
  std::map<Kind, std::int64_t> counts_;
};

Result<Verified> check(Database& database, Findings& findings, Log& log) {
  log.show_progress("verify: reading the database");
  Result<Verified> verified =
      verify(database, [&](const Finding& finding) { findings.add(finding); });
  log.show_progress("");
  return verified;
}

int check_alone(Database& database, Log& log, const std::string& why) {
  Findings findings;
  const Result<Verified> verified = check(database, findings, log);
  if (!verified) return report(verified.error());
  return findings.end(*verified,
                      "the DSP was NOT asked, so nothing is known of what it has: " + why);
}

// The wait comes early: a terminal may show no more than 80 columns.
std::string words_of(const ReconcileProgress& progress, const Reconciled& so_far) {
  const std::string far = std::to_string(progress.done) + " of " + std::to_string(progress.all);
  if (progress.look == 1) {
    return "verify: asking the DSP, job " + far + ", " + std::to_string(so_far.asked) + " answers" +
           (progress.absent == 0 ? "" : ", " + std::to_string(progress.absent) + " absent");
  }
  std::string text = "verify: look " + std::to_string(progress.look) + " of " +
                     std::to_string(kAbsentLooks) + ", " + far + " absent done";
  if (progress.wait > 0)
    text += "; next in " + std::to_string((progress.wait + 999) / 1'000) +
            " s: the index may be behind";
  return text;
}

// What the limit and the time between looks make of it, on the terminal's last line; without a
// terminal a line of the log now and then. That something is looked for again is a line of the log
// in any case.
ReconcileEvents events_of(Findings& findings, Log& log, ProgressStyle style) {
  ReconcileEvents events;
  events.found = [&findings](const Finding& finding) { findings.add(finding); };
  events.progress = [&log, style, calls = 0, look = 1](const ReconcileProgress& progress,
                                                       const Reconciled& so_far) mutable {
    constexpr int kCallsPerLine = 120;  // half a minute
    if (std::exchange(look, progress.look) != progress.look) {
      log.info("verify: the DSP did not find " + std::to_string(progress.all) +
               " that should be there; look " + std::to_string(look) + " of " +
               std::to_string(kAbsentLooks) + " for them, each at least " +
               std::to_string(kAbsentLooksApart / 1'000) +
               " s after the one before, for its index may be behind");
    }
    const std::string text = words_of(progress, so_far);
    log.show_progress(text);
    if (++calls % kCallsPerLine == 0 && style == ProgressStyle::none) log.info(text);
  };
  return events;
}

int ask_too(const Config& config, Log& log, Clock clock, std::unique_ptr<Database> database,
            const InstanceLock& lock) {
  StorePolicy policy = store_policy(config);
  policy.only_asks = true;
  const Result<TakenOver> taken =
      take_over(std::move(database), lock, policy, clock, [](const auto& step) { return step(); });
  if (!taken) return report(taken.error());
  Store& store = *taken->store;
  if (!store.forgotten().empty())
    log.warning(store.forgotten() + "; the DSP is asked for what may have been forgotten too");
  if (!store.another_endpoint().empty()) {
    log.warning(store.another_endpoint() +
                ", which is asked for them: what it does not have, and what it has under the same "
                "ids, says nothing "
                "if that is another DSP");
  }
  Findings findings;
  const Result<Verified> verified = check(store.database(), findings, log);
  if (!verified) return report(verified.error());
  const ReconcileEvents events =
      events_of(findings, log, resolve_progress(config.progress, STDERR_FILENO));
  const Result<Reconciled> reconciled = reconcile(store, taken->recovery, config, clock, events);
  log.show_progress("");
  if (Status ok = store.stop(clock.now()); !ok) return report(ok.error());
  if (Status ok = store.keep_generation(clock.now()); !ok) return report(ok.error());
  if (!reconciled) {
    findings.end(*verified, "the DSP could not be asked for all");
    return report(reconciled.error());
  }
  std::string dsp = std::to_string(reconciled->asked) +
                    " attempts looked up: " + findings.of(Kind::missing) + ", " +
                    findings.of(Kind::duplicate) + ", " + findings.of(Kind::unasked);
  if (reconciled->not_askable > 0) {
    dsp += "; NOT asked for " + std::to_string(reconciled->not_askable) +
           " that were sent without their key, which no lookup finds";
  }
  if (reconciled->found_later > 0) {
    dsp += "; " + std::to_string(reconciled->found_later) +
           " found only when looked for again, for the DSP's index is behind";
  }
  return findings.end(*verified, dsp);
}

}  // namespace

int run_verify(const Config& config, Log& log, Clock clock) {
  std::string why = why_not_asked(config);
  if (!why.empty()) {
    const auto database = Database::open(config.db, OpenMode::read_only);
    return database ? check_alone(**database, log, why) : report(database.error());
  }
  std::error_code is_missing;
  if (!std::filesystem::exists(config.db, is_missing))
    return report(Database::open(config.db, OpenMode::read_only).error());
  const Result<InstanceLock> lock = InstanceLock::take(config.db);
  if (!lock && lock.error().code == Errc::busy) {
    return report(
        {Errc::busy, lock.error().message + "; or ask the database alone: --verify --offline"});
  }
  if (!lock) return report(lock.error());
  Result<std::unique_ptr<Database>> database = Database::open(lock->database(), OpenMode::existing);
  if (!database) return report(database.error());
  // Nothing is sent through tables that nobody guards, and an archive has no requests of its own to
  // count.
  if (Status ours = check_schema_is_ours(**database); !ours) {
    if (ours.error().code != Errc::config) return report(ours.error());
    why = "the schema was changed";
  } else if (Status live = refuse_archive(**database); !live) {
    if (live.error().code != Errc::config) return report(live.error());
    why = "this is an archive";
  }
  if (!why.empty()) return check_alone(**database, log, why);
  return ask_too(config, log, clock, std::move(*database), *lock);
}

}  // namespace dl

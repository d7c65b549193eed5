#include <unistd.h>

#include <algorithm>
#include <chrono>
#include <cstdio>
#include <ctime>
#include <thread>
#include <utility>

#include "ingest/commands.h"
#include "ingest/deviation.h"
#include "storage/batch_reader.h"

namespace dl {
namespace {

constexpr std::chrono::milliseconds kBetweenLooks{1'000};
// rows of a long sheet cost a second a look: never more than a small part of one CPU
constexpr int kRestsALook = 20;

struct Standing {
  std::array<std::array<std::int64_t, kJobStateCount>, 3> counts{};  // by kind and state
  std::int64_t resolving = 0;  // of those in doubt, the ones that nobody has to decide
  std::int64_t archived = 0;   // of the failed ones, those that nobody can retry
  // of a batch that names jobs of earlier ones: its own say too little
  std::optional<RowFates> rows;
  // rows of a batch that say other values than their jobs, which did not take them
  std::int64_t in_conflict = 0;
  std::int64_t overtaken = 0;  // the same where later sheets changed the jobs
  std::int64_t in_state(JobState state) const {
    std::int64_t sum = 0;
    for (const auto& kind : counts) sum += kind[static_cast<std::size_t>(state)];
    return sum;
  }
  std::int64_t all() const {
    std::int64_t sum = 0;
    for (const auto& kind : counts) {
      for (const std::int64_t n : kind) sum += n;
    }
    return sum;
  }
  // Something is on its way, so that blocked jobs may still come to their turn.
  bool moves() const {
    if (rows && rows->under_way() > 0) return true;
    return in_state(JobState::ready) + in_state(JobState::waiting) +
               in_state(JobState::submitting) + in_state(JobState::confirming) + resolving >
           0;
  }
  std::int64_t failed() const { return in_state(JobState::failed) - archived; }
  bool has_trouble() const {
    return failed() + in_state(JobState::in_doubt) > 0 ||
           (!moves() && in_state(JobState::blocked) > 0) ||
           (rows && rows->failed + rows->held + rows->stuck > 0) || in_conflict > 0;
  }
};

std::string clock_text(std::int64_t at_ms) {
  const auto seconds = static_cast<std::time_t>(at_ms / 1000);
  std::tm local{};
  ::localtime_r(&seconds, &local);
  char text[32];
  return std::string(text, std::strftime(text, sizeof text, "%F %T", &local));
}

// Short enough for a column.
std::string column_title(JobState state) { return std::string(name_of(state)); }

std::string share_text(std::int64_t done, std::int64_t wanted) {
  return std::to_string(done) + " of " + std::to_string(wanted) + " succeeded (" +
         std::to_string(done * 100 / wanted) + " %)";
}

std::string jobs_text(const Standing& standing, const std::optional<BatchFacts>& batch) {
  const std::int64_t wanted = standing.all() - standing.in_state(JobState::cancelled);
  if (wanted > 0) return share_text(standing.in_state(JobState::succeeded), wanted);
  if (standing.all() > 0) return "all are cancelled";
  if (!batch) return "no jobs: nothing has been loaded";
  return "batch " + std::to_string(batch->id.value) +
         " made no jobs; its rows are of earlier batches";
}

std::string rows_text(const RowFates& rows) {
  std::string text =
      "of its " + counted(rows.rows, "row") + " " + std::to_string(rows.succeeded) + " succeeded";
  if (rows.under_way() > 0) text += ", " + std::to_string(rows.under_way()) + " under way";
  const std::string at_rest = at_rest_text(rows);
  return at_rest.empty() ? text : text + ", " + at_rest;
}

std::string progress_text(const Standing& standing, const std::optional<BatchFacts>& batch) {
  std::string text = jobs_text(standing, batch);
  if (standing.archived > 0)
    text += ", " + std::to_string(standing.archived) + " failed and archived, for good";
  if (standing.rows) text += "\n" + rows_text(*standing.rows);
  const std::int64_t others = standing.in_conflict + standing.overtaken;
  if (others == 0) return text;
  return text + "\n" + counted(others, "row") + " with other values than the DSP has or gets" +
         (standing.overtaken > 0 ? ", by later sheets: " : ", in conflict: ") +
         "dl-ingest results " + std::to_string(batch->id.value);
}

// What keeps it, and where to look.
std::string trouble_text(const Standing& standing, const std::optional<BatchFacts>& batch) {
  std::string text = "nothing moves any more";
  const char* before = ": ";
  const auto add = [&](std::int64_t n, const char* what) {
    if (n > 0) text += std::exchange(before, ", ") + std::to_string(n) + " " + what;
  };
  add(standing.in_state(JobState::in_doubt), "in doubt wait for a decision (v_in_doubt)");
  add(standing.failed(), "failed (v_failed; dl-ingest errors)");
  add(standing.in_state(JobState::blocked), "wait behind others (v_blocked)");
  if (standing.rows) text += before + ("see dl-ingest results " + std::to_string(batch->id.value));
  return text;
}

std::string outlook_text(const Standing& standing, const AccountFacts& account,
                         const std::optional<BatchFacts>& batch) {
  if (account.paused_by) return "paused by " + *account.paused_by + ": " + account.paused_reason;
  if (!standing.moves()) {
    if (standing.has_trouble()) return trouble_text(standing, batch);
    return standing.all() > 0 || standing.rows ? "all is done" : "there is nothing to do";
  }
  if (account.eta_note.empty() || account.eta_note == "done")
    return "no estimate yet: dl-daemon makes it";
  if (!account.eta_at_ms) return account.eta_note;
  return account.eta_note + ", about " + clock_text(*account.eta_at_ms);
}

std::string table_text(const Standing& standing) {
  std::string text = "           ";
  std::vector<JobState> shown_states;
  for (int i = 0; i < kJobStateCount; ++i) {
    const auto state = static_cast<JobState>(i);
    if (standing.in_state(state) == 0) continue;
    shown_states.push_back(state);
    const std::string title = column_title(state);
    text += std::string(12 - std::min<std::size_t>(12, title.size()), ' ') + title;
  }
  text += '\n';
  for (const KindNames& names : kKinds) {
    text += "  " + std::string(names.name) + std::string(9 - names.name.size(), ' ');
    for (const JobState state : shown_states) {
      const std::string n = std::to_string(
          standing.counts[static_cast<std::size_t>(names.kind)][static_cast<std::size_t>(state)]);
      text += std::string(12 - std::min<std::size_t>(12, n.size()), ' ') + n;
    }
    text += '\n';
  }
  return text;
}

Result<Standing> look(Database& database, const std::optional<BatchFacts>& batch,
                      AccountFacts& account) {
  Result<std::vector<StateCount>> counts =
      count_states(database, batch ? std::optional(batch->id) : std::nullopt);
  if (!counts) return counts.error();
  Result<AccountFacts> facts = read_account(database);
  if (!facts) return facts.error();
  account = *facts;
  Standing standing;
  for (const StateCount& count : *counts) {
    standing.counts[static_cast<std::size_t>(count.kind)][static_cast<std::size_t>(count.state)] =
        count.count;
    standing.resolving += count.resolving;
    standing.archived += count.archived;
  }
  if (batch && batch->jobs_of_earlier_batches > 0 &&
      (!batch->archived_to || batch->is_archived_in_part)) {
    Result<RowFates> rows = read_row_fates(database, batch->id);
    if (!rows) return rows.error();
    standing.rows = *rows;
  }
  if (!batch) return standing;
  const Result<std::int64_t> others = count_deviating_rows(database, *batch);
  if (!others) return others.error();
  (batch->conflicts > 0 ? standing.in_conflict : standing.overtaken) = *others;
  return standing;
}

Result<std::optional<BatchFacts>> batch_asked_for(Database& database, const Options& options) {
  if (!options.batch) return std::optional<BatchFacts>();
  Result<std::optional<BatchFacts>> found = find_batch(database, options.batch);
  if (found && !*found) {
    return Error{Errc::no_input,
                 options.db + ": there is no batch " + std::to_string(*options.batch) + " in it"};
  }
  return found;
}

Result<int> show_status(const Options& options) {
  Result<std::unique_ptr<Database>> database = Database::open(options.db, OpenMode::read_only);
  if (!database) return database.error();
  const Result<std::optional<BatchFacts>> batch = batch_asked_for(**database, options);
  if (!batch) return batch.error();
  const bool redraw = options.watch == Watch::until_done && ::isatty(STDOUT_FILENO) == 1;
  for (;;) {
    const auto began = std::chrono::steady_clock::now();
    AccountFacts account;
    Result<Standing> standing = look(**database, *batch, account);
    if (!standing) return standing.error();
    const auto took = std::chrono::steady_clock::now() - began;
    std::printf("%s%s%s\n%s\n", redraw ? "\x1b[H\x1b[J" : "", table_text(*standing).c_str(),
                progress_text(*standing, *batch).c_str(),
                outlook_text(*standing, account, *batch).c_str());
    std::fflush(stdout);
    if (options.watch == Watch::once || !standing->moves()) {
      return standing->has_trouble() ? static_cast<int>(Errc::incomplete) : 0;
    }
    std::this_thread::sleep_for(
        std::max<std::chrono::nanoseconds>(kBetweenLooks, kRestsALook * took));
  }
}

}  // namespace

int run_status(const Options& options) {
  print_database(options);
  const Result<int> code = show_status(options);
  return code ? *code : complain(code.error());
}

}  // namespace dl

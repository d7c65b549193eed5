// Entities that the DSP is processing, until it is time to look at them (design 4). Under a limit a
// permit never goes to a doubtful look while anything certain can be sent, so a poll here is one of
//
//   young     less likely done than not; looked at only as a probe, when nothing else was sent for
//   long likely    done at 50 % or more; a guess, one every W/N, when there is nothing certain to
//   send.
//             In the end game certain, if others wait for it
//   ripe      done at 98 %: certain; take_certain() hands it over
//
// Those never looked at move with what the schedule learns; the others keep the ages of their last
// look. Every question costs O(log n). Pure. Not thread-safe; the WorkList owns the only one.
#pragma once

#include <array>
#include <cstdint>
#include <optional>
#include <set>
#include <unordered_map>
#include <utility>
#include <vector>

#include "daemon/core/candidate.h"
#include "daemon/core/schedule.h"

namespace dl {

class PollQueue {
 public:
  explicit PollQueue(const Schedule& schedule) : schedule_(schedule) {}

  // `not_before_boot_ms`: the DSP asked to wait so long, or a look has failed.
  void add(const Candidate& poll, std::int64_t not_before_boot_ms);
  bool remove(JobId job);
  void clear();

  // Takes out what is certain now. In the end game that is also what is likely and has dependents.
  std::vector<Candidate> take_certain(std::int64_t now_boot_ms, EndGame end_game);
  bool is_certain(const Candidate& poll, std::int64_t now_boot_ms, EndGame end_game) const;

  // The best doubtful look, where there is nothing certain to send: those with dependents first,
  // then the one that has been likely for the longest. `spacing_ms`: W/N, the sustainable rate.
  std::optional<Candidate> doubtful(std::int64_t now_boot_ms, Millis spacing_ms) const;
  // When doubtful() or take_certain() will have something; nothing where no poll is kept.
  std::optional<std::int64_t> next_certain_at(EndGame end_game) const;
  std::optional<std::int64_t> next_doubtful_at(Millis spacing_ms) const;

  // When the last of them is as likely done as not.
  std::int64_t latest_likely_at() const;

  void note_sent(std::int64_t now_boot_ms) { sent_at_ = now_boot_ms; }
  void note_guessed(std::int64_t now_boot_ms) { guessed_at_ = now_boot_ms; }

  std::size_t size() const { return kept_.size(); }
  std::size_t overdue() const { return overdue_; }

  struct Kept {
    Candidate poll;
    std::int64_t not_before_boot_ms = 0;
    std::int64_t likely_at = 0;  // of those that were looked at
    std::int64_t ripe_at = 0;
    bool is_held = false;  // until not_before_boot_ms
  };
  const std::unordered_map<JobId, Kept>& kept() const { return kept_; }

 private:
  using Ordered = std::set<std::pair<std::int64_t, JobId>>;
  struct Group {  // one kind, with dependents or without
    JobKind kind = JobKind::campaign;
    bool has_children = false;
    Ordered fresh;   // never looked at, by when they were sent
    Ordered likely;  // the others
    Ordered ripe;
  };
  Group& group_of(const Candidate& poll);
  void place(Kept& kept);
  void unplace(const Kept& kept);
  std::int64_t fresh_age(const Group& group, EndGame end_game) const;
  const Ordered& looked_order(const Group& group, EndGame end_game) const;
  std::int64_t likely_at(const Kept& kept) const;
  const Kept* likeliest(bool has_children) const;
  const Kept* probe(bool has_children, std::int64_t now_boot_ms) const;
  std::int64_t next_probe_at() const;

  const Schedule& schedule_;
  std::unordered_map<JobId, Kept> kept_;
  std::array<Group, 6> groups_ = make_groups();
  Ordered held_;  // by when they may be looked at
  std::size_t overdue_ = 0;
  std::int64_t sent_at_ = INT64_MIN / 2;     // any request
  std::int64_t guessed_at_ = INT64_MIN / 2;  // a doubtful one

  static std::array<Group, 6> make_groups();
};

}  // namespace dl

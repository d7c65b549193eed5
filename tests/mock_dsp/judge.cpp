#include "tests/mock_dsp/judge.h"

#include <algorithm>
#include <charconv>
#include <cstdio>
#include <istream>
#include <ostream>

#include "storage/model/job.h"
#include "tests/mock_dsp/entities.h"
#include "tests/mock_dsp/json_object.h"

namespace dl::mock {
namespace {

constexpr std::size_t kMaxFindings = 20;

// A ledger line, as far as it matters here.
struct Line {
  bool is_request = false;
  bool created = false;
  bool fails = false;
  Micros arrival_us = 0;
  int status = 0;
  std::string event, method, path, kind, entity, parent, dsp_id, answer, note;
};

// "81234.567" -> 81234567; the ledger writes exactly three decimals.
bool parse_millis(std::string_view text, Micros& us) {
  std::string digits(text);
  const std::size_t point = digits.find('.');
  if (point == std::string::npos || digits.size() != point + 4) return false;
  digits.erase(point, 1);
  const char* const end = digits.data() + digits.size();
  const auto [rest, trouble] = std::from_chars(digits.data(), end, us);
  return trouble == std::errc{} && rest == end;
}

bool parse_line(std::string_view text, Line& line) {
  bool times_are_good = true;
  const bool is_object = read_json_object(text, [&](const JsonField& field) {
    if (field.name == "event") line.event = field.text;
    if (field.name == "seq") line.is_request = true;
    if (field.name == "arrival_scaled_ms") {
      times_are_good = parse_millis(field.text, line.arrival_us);
    }
    if (field.name == "method") line.method = field.text;
    if (field.name == "path") line.path = field.text;
    if (field.name == "kind") line.kind = field.text;
    if (field.name == "entity") line.entity = field.text;
    if (field.name == "parent") line.parent = field.text;
    if (field.name == "dsp_id") line.dsp_id = field.text;
    if (field.name == "answer") line.answer = field.text;
    if (field.name == "note") line.note = field.text;
    if (field.name == "created") line.created = field.text == "true";
    if (field.name == "fails") line.fails = field.text == "true";
    if (field.name == "status") {
      std::from_chars(field.text.data(), field.text.data() + field.text.size(), line.status);
    }
  });
  if (!line.event.empty()) line.is_request = false;
  return is_object && times_are_good && (line.is_request || !line.event.empty());
}

// Joins without ambiguity, as job keys are joined.
std::string joined(std::string_view a, std::string_view b) { return job_key({a, b}); }

class Judge {
 public:
  Judgement judgement;

  void read(const Line& line, std::int64_t number) {
    number_ = number;
    if (line.is_request) read_request(line);
    if (line.note.find("child_before_parent") != std::string::npos) {
      ++judgement.child_before_parent;
      find("child before parent", line);
    }
    if (line.created) read_creation(line);
  }

  void finish(const std::vector<Tier>& tiers) {
    std::sort(arrivals_us_.begin(), arrivals_us_.end());
    if (!arrivals_us_.empty()) {
      judgement.makespan_us = arrivals_us_.back() - arrivals_us_.front();
    }
    for (const Tier& tier : tiers) {
      judgement.tiers.push_back({tier, most_in_window(tier.window_ms * 1'000)});
    }
  }

 private:
  struct Made {
    std::int64_t alive = 0;
    std::vector<std::string> failing;  // DSP ids of creations that fail, not yet told to the client
  };

  void read_request(const Line& line) {
    ++judgement.requests;
    arrivals_us_.push_back(line.arrival_us);
    if (line.status == 429) ++judgement.answered_429;
    if (line.status == 0) ++judgement.unanswered;
    const bool is_poll = line.method == "GET" && line.path.ends_with("/status");
    if (line.method == "POST") ++judgement.posts;
    if (is_poll) ++judgement.polls;
    if (line.method == "GET" && !is_poll) ++judgement.lookups;
    if (line.answer == "success") told_success_[joined(line.kind, line.dsp_id)] = true;
    if (line.answer == "failed") told_failed_[joined(line.kind, line.dsp_id)] = true;
    if (line.method == "POST" && !line.parent.empty() &&
        !told_success_.contains(joined(parent_of(line.kind), line.parent))) {
      ++judgement.child_before_confirmation;
      find("child before its parent's confirmation", line);
    }
  }

  void read_creation(const Line& line) {
    const std::string parent = joined(parent_of(line.kind), line.parent);
    Made& made = made_[joined(line.kind, joined(line.parent, line.entity))];
    std::erase_if(made.failing, [&](const std::string& id) { return told_failed_.contains(id); });
    const auto same_parents = makers_of_.find(parent);
    const auto legal = same_parents == makers_of_.end() ? 1 : same_parents->second;
    if (made.alive + static_cast<std::int64_t>(made.failing.size()) >= legal) {
      ++judgement.duplicates;
      find("duplicate", line);
    }
    const std::string id = joined(line.kind, line.dsp_id);
    if (line.fails) {
      ++judgement.creations_failed;
      told_failed_.erase(id);  // an echoed id: what was told was about an earlier one
      made.failing.push_back(id);
    } else {
      ++judgement.entities_created;
      if (made.alive++ == 0) ++makers_of_[id];
    }
  }

  static std::string_view parent_of(std::string_view kind) {
    if (kind == "ad") return "ad_group";
    if (kind == "ad_group") return "campaign";
    return {};
  }

  void find(std::string_view what, const Line& line) {
    if (judgement.findings.size() >= kMaxFindings) return;
    judgement.findings.push_back("line " + std::to_string(number_) + ": " + std::string(what) +
                                 ": " + line.kind + " \"" + line.entity + "\" under \"" +
                                 line.parent + "\"");
  }

  std::int64_t most_in_window(Micros window_us) const {
    std::size_t most = 0;
    std::size_t first = 0;
    for (std::size_t last = 0; last < arrivals_us_.size(); ++last) {
      while (arrivals_us_[last] - arrivals_us_[first] >= window_us) ++first;
      most = std::max(most, last - first + 1);
    }
    return static_cast<std::int64_t>(most);
  }

  std::int64_t number_ = 0;
  std::vector<Micros> arrivals_us_;
  TextMap<bool> told_success_, told_failed_;  // by kind and DSP id
  TextMap<Made> made_;                        // by identity
  TextMap<std::int64_t> makers_of_;           // identities that share a kind and DSP id
};

}  // namespace

bool Judgement::passes(std::optional<std::int64_t> entities_expected) const {
  const auto over = [](const TierUse& use) { return use.most > use.tier.count; };
  return duplicates == 0 && child_before_parent == 0 && child_before_confirmation == 0 &&
         std::none_of(tiers.begin(), tiers.end(), over) &&
         entities_created == entities_expected.value_or(entities_created);
}

Result<Judgement> judge(std::istream& ledger, const std::vector<Tier>& tiers) {
  Judge judge;
  std::string text;
  for (std::int64_t number = 1; std::getline(ledger, text); ++number) {
    Line line;
    if (!parse_line(text, line)) {
      return Error{Errc::data, "line " + std::to_string(number) + " is not a ledger line"};
    }
    judge.read(line, number);
  }
  judge.finish(tiers);
  return std::move(judge.judgement);
}

void print(const Judgement& judgement, std::ostream& out) {
  const auto ratio = static_cast<double>(judgement.requests) /
                     static_cast<double>(std::max<std::int64_t>(1, judgement.entities_created));
  char per_entity[32];
  std::snprintf(per_entity, sizeof per_entity, "%.4f", ratio);
  out << "requests: " << judgement.requests << "\nposts: " << judgement.posts
      << "\npolls: " << judgement.polls << "\nlookups: " << judgement.lookups
      << "\nentities_created: " << judgement.entities_created
      << "\ncreations_failed: " << judgement.creations_failed
      << "\nduplicates: " << judgement.duplicates
      << "\nchild_before_parent: " << judgement.child_before_parent
      << "\nchild_before_confirmation: " << judgement.child_before_confirmation << "\n";
  for (const auto& [tier, most] : judgement.tiers) {
    out << "most_in_window_" << format_rate_spec({tier}) << ": " << most << "\n";
  }
  out << "answered_429: " << judgement.answered_429 << "\nunanswered: " << judgement.unanswered
      << "\nrequests_per_entity: " << per_entity
      << "\nmakespan_ms: " << judgement.makespan_us / 1'000 << "\n";
}

}  // namespace dl::mock

#include "tests/mock_dsp/faults.h"

#include <algorithm>
#include <array>
#include <charconv>

#include "storage/model/duration.h"
#include "storage/model/nearest_name.h"

namespace dl::mock {
namespace {

enum class Delay { none, optional, required };

struct Name {
  std::string_view text;
  FaultKind kind;
  bool applied;
  bool only_post;
  Delay delay;
};
using enum FaultKind;
constexpr Name kNames[] = {
    {"lost_answer", lost_answer, true, false, Delay::none},
    {"lost_request", lost_request, false, false, Delay::none},
    {"late_apply", late_apply, false, true, Delay::required},
    {"slow", slow, true, false, Delay::required},
    {"hang", hang, false, false, Delay::required},
    {"hang_applied", hang, true, false, Delay::required},
    {"reset", reset, false, false, Delay::none},
    {"reset_applied", reset, true, false, Delay::none},
    {"garbage", garbage, true, false, Delay::none},
    {"cut_body", cut_body, true, false, Delay::none},
    {"bad_json", bad_json, true, false, Delay::none},
    {"no_id", no_id, false, true, Delay::none},
    {"no_id_applied", no_id, true, true, Delay::none},
    {"fail_status", fail_status, false, true, Delay::none},
    {"refuse", refuse, false, true, Delay::none},
};

Error wrong(std::string_view item, const std::string& why) {
  return {Errc::usage, "--faults: in \"" + std::string(item) + "\": " + why};
}

template <class Number>
bool parse_whole(std::string_view text, Number& number) {
  const char* const end = text.data() + text.size();
  const auto [rest, trouble] = std::from_chars(text.data(), end, number);
  return trouble == std::errc{} && rest == end;
}

// "503", "503_applied", "refuse_409" or a name of kNames.
Result<Name> parse_name(std::string_view item, std::string_view text, int& status) {
  const auto is_status = [&](std::string_view digits) {
    return digits.size() == 3 && parse_whole(digits, status) && status >= 300 && status <= 599;
  };
  if (is_status(text)) return Name{text, FaultKind::status, false, false, Delay::optional};
  if (text.ends_with("_applied") && is_status(text.substr(0, text.size() - 8))) {
    return Name{text, FaultKind::status, true, false, Delay::optional};
  }
  if (text.starts_with("refuse_") && is_status(text.substr(7))) {
    return Name{text, refuse, false, true, Delay::none};
  }
  status = text == "refuse" ? 400 : 0;
  std::array<std::string_view, std::size(kNames)> known;
  for (std::size_t i = 0; i < known.size(); ++i) {
    if (kNames[i].text == text) return kNames[i];
    known[i] = kNames[i].text;
  }
  std::string why = "no fault is called \"" + std::string(text) + "\"";
  if (const auto nearest = nearest_name(text, known)) {
    why += "; did you mean " + std::string(*nearest) + "?";
  }
  return wrong(item, why + " (a status is 300 to 599)");
}

// A probability, or @N.
Status parse_when(std::string_view item, std::string_view text, Fault& fault) {
  if (text.starts_with('@')) {
    if (parse_whole(text.substr(1), fault.nth) && fault.nth >= 1) return Done{};
    return wrong(item, "after @ comes a whole number from 1");
  }
  if (parse_whole(text, fault.probability) && fault.probability >= 0 && fault.probability <= 1) {
    return Done{};
  }
  return wrong(item, "\"" + std::string(text) + "\" is neither a probability from 0 to 1 nor @N");
}

Result<Fault> parse_item(std::string_view item) {
  Fault fault;
  std::string_view rest = item;
  if (rest.starts_with("post.")) {
    fault.hits_get = false;
    rest.remove_prefix(5);
  } else if (rest.starts_with("get.")) {
    fault.hits_post = false;
    rest.remove_prefix(4);
  }
  const std::size_t colon = rest.find(':');
  const Result<Name> name = parse_name(item, rest.substr(0, colon), fault.status);
  if (!name) return name.error();
  if (colon == std::string_view::npos) return wrong(item, "a probability is missing, as in :0.01");
  fault.kind = name->kind;
  fault.name = name->text;
  fault.applied = name->applied;
  if (name->only_post && !fault.hits_post) return wrong(item, "it can only hit a POST");
  if (name->only_post) fault.hits_get = false;

  const std::string_view values = rest.substr(colon + 1);
  const std::size_t second = values.find(':');
  const Status when = parse_when(item, values.substr(0, second), fault);
  if (!when) return when.error();
  if (fault.nth != 0 && fault.kind == refuse) return wrong(item, "refuse takes a probability only");
  const bool has_delay = second != std::string_view::npos;
  if (!has_delay && name->delay == Delay::required) {
    return wrong(item, "a duration is missing, as in :0.01:5s");
  }
  if (has_delay && name->delay == Delay::none) return wrong(item, "it takes no duration");
  if (has_delay) {
    const Result<Millis> delay = parse_duration(values.substr(second + 1));
    if (!delay) return wrong(item, delay.error().message);
    fault.delay_ms = *delay;
  } else if (fault.status == 429 && fault.kind == FaultKind::status) {
    fault.delay_ms = 1'000;
  }
  return fault;
}

// fail_status and refuse are drawn apart; the others share one draw a request.
bool shares_the_draw(const Fault& fault) {
  return fault.kind != fail_status && fault.kind != refuse && fault.nth == 0;
}

}  // namespace

Result<std::vector<Fault>> parse_faults(std::string_view spec) {
  std::vector<Fault> faults;
  double post_sum = 0;
  double get_sum = 0;
  for (std::size_t begin = 0; !spec.empty() && begin <= spec.size();) {
    const std::size_t end = std::min(spec.find(',', begin), spec.size());
    const std::string_view item = spec.substr(begin, end - begin);
    Result<Fault> fault = parse_item(item);
    if (!fault) return fault.error();
    if (shares_the_draw(*fault)) {
      post_sum += fault->hits_post ? fault->probability : 0;
      get_sum += fault->hits_get ? fault->probability : 0;
    }
    if (std::max(post_sum, get_sum) > 1 + 1e-9) {
      return wrong(item, "up to here the probabilities add up to more than 1");
    }
    faults.push_back(std::move(*fault));
    begin = end + 1;
  }
  return faults;
}

Faults::Faults(std::vector<Fault> faults, std::uint64_t seed) : seed_(seed), random_(seed) {
  for (Fault& fault : faults) faults_.push_back({std::move(fault), 0});
}

const Fault* Faults::draw(Method method) {
  const double point = random_.uniform();  // one for each request, whatever the items
  const Fault* hit = nullptr;
  double sum = 0;
  for (auto& [fault, seen] : faults_) {
    if (fault.kind == fail_status || fault.kind == refuse) continue;
    if (method == Method::post ? !fault.hits_post : !fault.hits_get) continue;
    ++seen;
    if (fault.nth == 0) sum += fault.probability;
    const bool hits = fault.nth == 0 ? point < sum : seen == fault.nth;
    if (hits && (hit == nullptr || fault.nth != 0)) hit = &fault;  // an @N never goes lost
  }
  return hit;
}

bool Faults::draw_fail_status() {
  bool fails = false;
  for (auto& [fault, seen] : faults_) {
    if (fault.kind != fail_status) continue;
    ++seen;
    fails |= fault.nth == 0 ? random_.uniform() < fault.probability : seen == fault.nth;
  }
  return fails;
}

const Fault* Faults::refusal_of(std::string_view kind, std::string_view entity) const {
  const double point = unit_interval(hash_of(entity, hash_of(kind, seed_)));
  double sum = 0;
  for (const auto& [fault, seen] : faults_) {
    if (fault.kind != refuse) continue;
    sum += fault.probability;
    if (point < sum) return &fault;
  }
  return nullptr;
}

}  // namespace dl::mock

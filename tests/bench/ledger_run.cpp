#include "tests/bench/ledger_run.h"

#include <charconv>
#include <fstream>
#include <optional>
#include <sstream>
#include <unordered_map>

#include "tests/mock_dsp/json_object.h"

namespace dl::bench {
namespace {

struct Line {
  std::string event, method, kind, entity, dsp_id, answer;
  double time_scale = 0;
  double arrived = 0;
  std::optional<double> answered_real;
  double processing_ms = 0;
  int status = 0;
  bool created = false;
};

double number(std::string_view text) {
  double value = 0;
  std::from_chars(text.data(), text.data() + text.size(), value);
  return value;
}

bool parse(std::string_view text, Line& line) {
  return mock::read_json_object(text, [&line](const mock::JsonField& field) {
    if (field.name == "event") line.event = field.text;
    if (field.name == "method") line.method = field.text;
    if (field.name == "kind") line.kind = field.text;
    if (field.name == "entity") line.entity = field.text;
    if (field.name == "dsp_id") line.dsp_id = field.text;
    if (field.name == "answer") line.answer = field.text;
    if (field.name == "time_scale") line.time_scale = number(field.text);
    if (field.name == "arrival_scaled_ms") line.arrived = number(field.text);
    if (field.name == "processing_ms") line.processing_ms = number(field.text);
    if (field.name == "status") line.status = static_cast<int>(number(field.text));
    if (field.name == "created") line.created = field.text == "true";
    if (field.name == "answered_ms" && field.type == mock::JsonType::number) {
      line.answered_real = number(field.text);
    }
  });
}

// The ids that dl-make-sheet gives: cmp_1, ag_1_1, ad_1_1_1.
std::unordered_map<std::string, int> ids_of(const Workload& workload) {
  std::unordered_map<std::string, int> ids;
  std::vector<std::string> place(workload.entities.size());  // "_1_1"
  std::vector<int> children(workload.entities.size());
  int campaigns = 0;
  constexpr std::string_view kPrefixes[] = {"cmp", "ag", "ad"};
  for (std::size_t i = 0; i < place.size(); ++i) {
    const Entity& entity = workload.entities[i];
    const auto parent = static_cast<std::size_t>(entity.parent);
    const bool is_root = entity.parent < 0;
    const int nth = is_root ? ++campaigns : ++children[parent];
    place[i] = (is_root ? "" : place[parent]) + "_" + std::to_string(nth);
    ids.emplace(std::string(kPrefixes[entity.level]) + place[i], static_cast<int>(i));
  }
  return ids;
}

}  // namespace

Result<LedgerRun> read_ledger(const std::string& path, const std::string& shape) {
  std::ifstream file(path);
  if (!file) return Error{Errc::no_input, path + ": cannot be read"};
  Result<Workload> workload = make_workload(shape, "zero", 1);
  if (!workload) return workload.error();
  LedgerRun run{{}, std::move(*workload)};
  const std::unordered_map<std::string, int> ids = ids_of(run.workload);
  std::unordered_map<std::string, int> entity_of;  // by kind and DSP id
  double scale = 1;
  std::string text;
  for (std::int64_t n = 1; std::getline(file, text); ++n) {
    Line line;
    if (!parse(text, line)) {
      return Error{Errc::data, path + ":" + std::to_string(n) + ": not a ledger line"};
    }
    if (line.time_scale > 0) scale = line.time_scale;
    const std::string dsp_name = line.kind + " " + line.dsp_id;
    if (line.created) {
      const auto known = ids.find(line.entity);
      if (known == ids.end()) {
        return Error{Errc::data, path + ":" + std::to_string(n) + ": " + line.entity +
                                     " is not of the shape " + shape};
      }
      entity_of.emplace(dsp_name, known->second);
      run.workload.entities[static_cast<std::size_t>(known->second)].processing_ms =
          static_cast<Millis>(line.processing_ms);
    }
    if (!line.event.empty()) continue;
    Exchange exchange{.arrived = line.arrived, .answered = line.arrived};
    if (line.answered_real) exchange.answered = *line.answered_real * scale;
    if (const auto at = entity_of.find(dsp_name); at != entity_of.end()) {
      exchange.campaign = run.workload.entities[static_cast<std::size_t>(at->second)].campaign;
    }
    exchange.refused = line.status == 429;
    exchange.finished = line.answer == "success" && line.answered_real;
    run.exchanges.push_back(exchange);
  }
  return run;
}

Result<std::vector<Exchange>> read_access_log(const std::string& path, double scale) {
  std::ifstream file(path);
  if (!file) return Error{Errc::no_input, path + ": cannot be read"};
  std::vector<Exchange> exchanges;
  std::string text;
  while (std::getline(file, text)) {
    std::istringstream fields(text);
    double end_s = 0;
    double took_s = 0;
    std::string method, uri;
    int status = 0;
    if (!(fields >> end_s >> took_s >> method >> uri >> status)) {
      return Error{Errc::data, path + ": not a line of the access log: " + text};
    }
    const double to_ms = 1'000 * scale;
    exchanges.push_back(
        {.arrived = (end_s - took_s) * to_ms, .answered = end_s * to_ms, .refused = status == 429});
  }
  return exchanges;
}

}  // namespace dl::bench

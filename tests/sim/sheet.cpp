#include "tests/sim/sheet.h"

namespace dl::sim {

std::string Row::body() const {
  return "{\"id\":\"" + own_id + "\",\"name\":\"" + own_id + " v" + std::to_string(version) + "\"}";
}

void Sheet::add_campaign(std::vector<Row>& into, int campaign, int groups, int ads) {
  const std::string c = "c" + std::to_string(campaign);
  into.push_back({JobKind::campaign, c, c, "", 1});
  for (int g = 1; g <= groups; ++g) {
    const std::string group = c + "g" + std::to_string(g);
    into.push_back({JobKind::ad_group, group, c + "/" + group, c, 1});
    parents_[group] = {c};
    for (int a = 1; a <= ads; ++a) {
      const std::string ad = group + "a" + std::to_string(a);
      into.push_back({JobKind::ad, ad, c + "/" + group + "/" + ad, c + "/" + group, 1});
      parents_[ad] = {group};
    }
  }
}

Sheet::Sheet(Shape shape) {
  switch (shape) {
    case Shape::deep:
      add_campaign(rows_, 1, 2, 2);
      add_campaign(rows_, 2, 1, 2);
      break;
    case Shape::wide:
      for (int c = 1; c <= 5; ++c) add_campaign(rows_, c, 1, 1);
      break;
    case Shape::crossed:
      add_campaign(rows_, 1, 1, 2);
      add_campaign(rows_, 2, 1, 2);
      crossings_ = {{"c2", "c1g1a1"}, {"c1", "c2g1a2"}};
      for (const auto& [parent, child] : crossings_) parents_[child].push_back(parent);
      break;
    case Shape::crowd:
      for (int c = 1; c <= 8; ++c) add_campaign(rows_, c, 1, 2);
      break;
    case Shape::none: break;
  }
}

std::vector<Row> Sheet::next_rows(int number, bool with_changes) {
  std::vector<Row> rows = rows_;  // loading the same again changes nothing
  if (with_changes) {
    for (std::size_t i = 0; i < rows.size(); i += 3) rows[i].version = number;
  }
  add_campaign(rows, 10 + number, 1, 1);
  return rows;
}

std::string Sheet::name_of(JobId job) const {
  const auto at = names_.find(job.value);
  return at == names_.end() ? "job " + std::to_string(job.value) : at->second;
}

JobId Sheet::job_of(const std::string& own_id) const {
  for (const auto& [id, name] : names_) {
    if (name == own_id) return JobId{id};
  }
  return JobId{};
}

void Sheet::learn(JobId job, const std::string& own_id) {
  std::erase_if(names_, [&](const auto& known) { return known.second == own_id; });
  names_[job.value] = own_id;
}

}  // namespace dl::sim

// The jobs of a simulation: what users load, first and later, and what each job is called. A row is
// an entity; its own id is unique over all kinds ("c1", "c1g2", "c1g2a1") and says who its parent
// is. Thread rule: one thread.
#pragma once

#include <cstdint>
#include <map>
#include <string>
#include <vector>

#include "storage/model/ids.h"
#include "storage/model/job.h"
#include "tests/sim/model_dsp.h"

namespace dl::sim {

enum class Shape {
  deep,
  wide,
  crossed,  // some ads wait for a second campaign as well
  crowd,
  none
};

struct Row {
  JobKind kind = JobKind::campaign;
  std::string own_id;
  std::string key;
  std::string parent_key;  // empty: a campaign
  int version = 1;         // of its values
  std::string body() const;
};

class Sheet {
 public:
  explicit Sheet(Shape shape);

  const std::vector<Row>& rows() const { return rows_; }
  // One more campaign with what is below it, and one of the old rows changed or unchanged.
  std::vector<Row> next_rows(int number, bool with_changes);

  // Own ids of the parents of each; also what the DSP checks.
  const Parents& parents() const { return parents_; }
  // Edges beside the tree's: own ids of the second parent and its child.
  const std::vector<std::pair<std::string, std::string>>& crossings() const { return crossings_; }

  // Ids of jobs that were removed again are given anew.
  void learn(JobId job, const std::string& own_id);
  std::string name_of(JobId job) const;
  JobId job_of(const std::string& own_id) const;

 private:
  void add_campaign(std::vector<Row>& into, int campaign, int groups, int ads);

  std::vector<Row> rows_;
  Parents parents_;
  std::vector<std::pair<std::string, std::string>> crossings_;
  std::map<std::int64_t, std::string> names_;
};

}  // namespace dl::sim

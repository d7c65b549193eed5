// The dl-ingest of a simulation: the real BatchWriter, one transaction an event, so that the daemon
// works and the machine fails between them. One object is one run of the program.
// Thread rule: one thread.
#pragma once

#include <functional>
#include <map>
#include <memory>
#include <string>
#include <vector>

#include "storage/batch_writer.h"
#include "tests/sim/sheet.h"

namespace dl::sim {

class Loader {
 public:
  Loader(Database& database, Sheet& sheet, std::vector<Row> rows);

  enum class Progress { more, published };
  // The next transaction. Errors: the store's; then nothing more is done but discard().
  Result<Progress> step(std::int64_t now_ms);
  // Removes what it has written.
  Status discard();
  BatchId batch() const { return batch_; }

  // Edges beside the tree's, written before the batch is published.
  void cross(std::vector<std::pair<std::string, std::string>> crossings) {
    crossings_ = std::move(crossings);
  }

 private:
  Status place(std::size_t first, std::size_t last);
  Status place_crossings();

  Database& database_;
  Sheet& sheet_;
  std::vector<Row> rows_;
  std::vector<std::pair<std::string, std::string>> crossings_;
  std::unique_ptr<BatchWriter> writer_;
  std::map<std::string, PlacedJob> placed_;
  std::size_t next_ = 0;
  BatchId batch_;
};

}  // namespace dl::sim

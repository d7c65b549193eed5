#include "tests/sim/loader.h"

#include <algorithm>

#include "storage/digest.h"

namespace dl::sim {
namespace {

constexpr std::size_t kRowsInOneTransaction = 4;

}  // namespace

Loader::Loader(Database& database, Sheet& sheet, std::vector<Row> rows)
    : database_(database), sheet_(sheet), rows_(std::move(rows)) {}

Result<Loader::Progress> Loader::step(std::int64_t now_ms) {
  if (!writer_) {
    BatchHead head;
    head.source = "sim";
    head.format = "csv";
    head.loaded_by = "sim";
    head.rows = static_cast<std::int64_t>(rows_.size());
    head.now_ms = now_ms;
    Result<std::unique_ptr<BatchWriter>> writer = BatchWriter::begin(database_, head);
    if (!writer) return writer.error();
    writer_ = std::move(*writer);
    batch_ = writer_->id();
    return Progress::more;
  }
  if (next_ < rows_.size()) {
    const std::size_t first = next_;
    next_ = std::min(next_ + kRowsInOneTransaction, rows_.size());
    const bool is_last = next_ == rows_.size();
    const Status ok = writer_->transaction([&]() -> Status {
      if (Status placed = place(first, next_); !placed) return placed;
      return is_last ? place_crossings() : Status(Done{});
    });
    if (!ok) return ok.error();
    return Progress::more;
  }
  PublishNews news;
  Result<BatchCounts> counts = writer_->publish(
      now_ms, [] { return Status(Done{}); }, news);
  if (!counts) return counts.error();
  writer_.reset();
  return Progress::published;
}

Status Loader::place(std::size_t first, std::size_t last) {
  for (std::size_t i = first; i < last; ++i) {
    const Row& row = rows_[i];
    const std::string body = row.body();
    const Sha256 digest = sha256(body);
    const PlacedJob* parent = row.parent_key.empty() ? nullptr : &placed_.at(row.parent_key);
    const JobText text{row.kind, row.key, body, digest, static_cast<std::int64_t>(i), parent};
    PlacedJob& placed = placed_[row.key];
    if (Status ok = writer_->place({&text, 1}, {&placed, 1}); !ok) return ok;
    sheet_.learn(placed.id, row.own_id);
    const BatchRow written{static_cast<std::int64_t>(i) + 1, static_cast<std::int64_t>(i) + 2,
                           placed.id, nullptr};
    writer_->add_rows({&written, 1});
  }
  return Done{};
}

Status Loader::place_crossings() {
  for (const auto& [parent, child] : crossings_) {
    const std::string p = std::to_string(sheet_.job_of(parent).value);
    const std::string c = std::to_string(sheet_.job_of(child).value);
    database_.handle().exec("INSERT INTO job_edge (parent_id, child_id) VALUES (" + p + ", " + c +
                            "); UPDATE job SET open_parents = open_parents + 1 WHERE id = " + c);
  }
  return Done{};
}

Status Loader::discard() {
  if (!writer_) return Done{};
  const Status ok = writer_->discard();
  writer_.reset();
  return ok;
}

}  // namespace dl::sim

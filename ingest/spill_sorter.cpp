#include "ingest/spill_sorter.h"

#include <algorithm>
#include <cstring>

namespace dl {
namespace {

// In the file a record is its head, then its bytes.
struct Head {
  SpillSorter::Key key;
  std::uint64_t size;
};
constexpr std::size_t kReadAtLeast = 64 * 1024;
constexpr std::size_t kReadAtMost = 1024 * 1024;
constexpr std::size_t kReadInAll = 16 * 1024 * 1024;

// `v = {}` assigns an empty list, and keeps what v had reserved: seen were 117 MB.
template <class Vector>
void let_go_of(Vector& v) {
  Vector().swap(v);
}

std::string_view bytes_of(const Head& head) {
  return {reinterpret_cast<const char*>(&head), sizeof head};
}

}  // namespace

Status SpillSorter::add(Key key, std::string_view record) {
  const std::size_t used = records_.size() + entries_.size() * sizeof(Entry);
  if (!entries_.empty() && used + record.size() + sizeof(Entry) > memory_) {
    if (Status ok = spill(); !ok) return ok;
  }
  if (records_.capacity() == 0) {
    // At once, because growing would need the memory twice; it costs nothing until it is used, and
    // both together do not use more than `memory`.
    records_.reserve(memory_);
    entries_.reserve(memory_ / sizeof(Entry));
  }
  entries_.push_back({key, records_.size(), record.size()});
  records_.insert(records_.end(), record.begin(), record.end());
  return Done{};
}

// What is in memory becomes a run of the file.
Status SpillSorter::spill() {
  if (!file_) {
    Result<SpillFile> file = SpillFile::create("the rows in order");
    if (!file) return file.error();
    file_.emplace(std::move(*file));
  }
  std::sort(entries_.begin(), entries_.end(),
            [](const Entry& a, const Entry& b) { return a.key < b.key; });
  const std::int64_t begin = file_->size();
  std::string block;
  block.reserve(kReadAtMost);
  for (const Entry& entry : entries_) {
    const Head head{entry.key, entry.size};
    if (!block.empty() && block.size() + sizeof head + entry.size > kReadAtMost) {
      if (Status ok = file_->append(block); !ok) return ok;
      block.clear();
    }
    block.append(bytes_of(head)).append(records_.data() + entry.offset, entry.size);
  }
  if (Status ok = file_->append(block); !ok) return ok;
  runs_.push_back({begin, file_->size(), {}, 0, {}, 0});
  entries_.clear();
  records_.clear();
  return Done{};
}

Status SpillSorter::finish() {
  if (!file_) {
    std::sort(entries_.begin(), entries_.end(),
              [](const Entry& a, const Entry& b) { return a.key < b.key; });
    return Done{};
  }
  if (!entries_.empty()) {
    if (Status ok = spill(); !ok) return ok;
  }
  let_go_of(entries_);
  let_go_of(records_);
  for (std::size_t i = 0; i < runs_.size(); ++i) {
    Result<bool> any = load(runs_[i]);
    if (!any) return any.error();
    if (*any) heap_.push_back(i);
  }
  const auto later = [this](std::size_t a, std::size_t b) { return runs_[b].key < runs_[a].key; };
  std::make_heap(heap_.begin(), heap_.end(), later);
  return Done{};
}

// Makes the run's next record whole in its buffer. False at the end of the run.
Result<bool> SpillSorter::load(Run& run) {
  const std::size_t room =
      std::clamp(std::min(memory_, kReadInAll) / (runs_.size() + 1), kReadAtLeast, kReadAtMost);
  std::size_t wanted = sizeof(Head);
  for (;;) {
    const std::size_t there = run.buffer.size() - run.at;
    if (there >= sizeof(Head)) {
      Head head;
      std::memcpy(&head, run.buffer.data() + run.at, sizeof head);
      run.key = head.key;
      run.size = head.size;
      wanted = sizeof head + head.size;
      if (there >= wanted) return true;
    }
    const auto left = static_cast<std::size_t>(run.end - run.begin);
    if (left == 0)
      return there > 0 ? Result<bool>(Error{Errc::io, "the rows in order: the file was cut"})
                       : false;
    run.buffer.erase(run.buffer.begin(), run.buffer.begin() + static_cast<std::ptrdiff_t>(run.at));
    run.at = 0;
    run.buffer.resize(there + std::min(left, std::max(room, wanted) - there));
    Result<std::size_t> got = file_->read_at(run.begin, std::span(run.buffer).subspan(there));
    if (!got) return got.error();
    if (*got < run.buffer.size() - there)
      return Error{Errc::io, "the rows in order: the file was cut"};
    run.begin += static_cast<std::int64_t>(*got);
  }
}

Result<bool> SpillSorter::next(std::string_view& record) {
  if (!file_) {
    if (given_ == entries_.size()) return false;
    const Entry& entry = entries_[given_++];
    record = {records_.data() + entry.offset, entry.size};
    return true;
  }
  const auto later = [this](std::size_t a, std::size_t b) { return runs_[b].key < runs_[a].key; };
  if (last_run_) {
    Run& run = runs_[*last_run_];
    run.at += sizeof(Head) + run.size;
    Result<bool> more = load(run);
    if (!more) return more;
    if (*more) {
      heap_.push_back(*last_run_);
      std::push_heap(heap_.begin(), heap_.end(), later);
    } else {
      let_go_of(run.buffer);
    }
    last_run_.reset();
  }
  if (heap_.empty()) return false;
  std::pop_heap(heap_.begin(), heap_.end(), later);
  last_run_ = heap_.back();
  heap_.pop_back();
  const Run& run = runs_[*last_run_];
  record = {run.buffer.data() + run.at + sizeof(Head), run.size};
  return true;
}

}  // namespace dl

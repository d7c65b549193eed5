#include "tests/sim/disk.h"

#include <algorithm>
#include <cstring>

namespace dl::sim {
namespace {

std::size_t index(std::int64_t n) { return static_cast<std::size_t>(n); }

}  // namespace

bool DiskFile::read(char* into, std::int64_t n, std::int64_t at) const {
  const std::int64_t there = std::clamp(size() - at, std::int64_t{0}, n);
  if (there > 0) std::memcpy(into, cached_.data() + at, index(there));
  std::memset(into + there, 0, index(n - there));
  return there == n;
}

void DiskFile::write(const char* from, std::int64_t n, std::int64_t at) {
  if (size() < at + n) cached_.resize(index(at + n));
  std::memcpy(cached_.data() + at, from, index(n));
  unsynced_.push_back({at, n, written_.size()});
  written_.append(from, index(n));
}

void DiskFile::truncate(std::int64_t size) {
  cached_.resize(index(size));
  unsynced_.push_back({size, kTruncation, 0});
}

void DiskFile::put_on_platter(const char* from, std::int64_t n, std::int64_t at) {
  if (static_cast<std::int64_t>(platter_.size()) < at + n) platter_.resize(index(at + n));
  std::memcpy(platter_.data() + at, from, index(n));
}

void DiskFile::apply(const Change& change) {
  if (change.n == kTruncation) return platter_.resize(index(change.at));
  put_on_platter(written_.data() + change.from, change.n, change.at);
}

void DiskFile::sync() {
  for (const Change& change : unsynced_) apply(change);
  unsynced_.clear();
  written_.clear();
  name_is_durable_ = true;
}

void DiskFile::apply_in_part(const Change& change, Dice& dice) {
  if (change.n == kTruncation) {
    if (dice.happens(0.5)) apply(change);
    return;
  }
  for (std::int64_t at = change.at; at < change.at + change.n;) {
    const std::int64_t end = std::min((at / kSector + 1) * kSector, change.at + change.n);
    const char* from = written_.data() + change.from + (at - change.at);
    switch (dice.between(0, 3)) {
      case 0: break;                                                       // dropped
      case 1: put_on_platter(from, dice.between(0, end - at), at); break;  // torn
      default: put_on_platter(from, end - at, at);                         // kept
    }
    at = end;
  }
}

void DiskFile::lose_power(Dice& dice) {
  // Mostly sector by sector; sometimes all or nothing reached the platter, which are legal too.
  const bool all = dice.happens(0.1);
  const bool none = !all && dice.happens(0.2);
  for (const Change& change : unsynced_) {
    if (none) break;
    if (all) {
      apply(change);
    } else {
      apply_in_part(change, dice);
    }
  }
  unsynced_.clear();
  written_.clear();
  cached_ = platter_;
}

std::shared_ptr<DiskFile> Disk::find(std::string_view name) const {
  const auto at = files_.find(name);
  return at == files_.end() ? nullptr : at->second;
}

std::shared_ptr<DiskFile> Disk::make(std::string_view name) {
  std::shared_ptr<DiskFile>& file = files_[std::string(name)];
  file = std::make_shared<DiskFile>();
  return file;
}

void Disk::remove(std::string_view name, bool is_durable) {
  const auto at = files_.find(name);
  if (at == files_.end()) return;
  if (!is_durable && at->second->name_is_durable_) {
    ghosts_.push_back({at->first, std::move(at->second)});
  }
  files_.erase(at);
}

void Disk::lose_power(Dice& dice) {
  for (Ghost& ghost : ghosts_) {
    if (files_.contains(ghost.name) || dice.happens(0.5)) continue;
    files_.emplace(ghost.name, std::move(ghost.file));
  }
  ghosts_.clear();
  for (auto& [name, file] : files_) {
    // A file whose name was lost is an empty one: the same to SQLite, and whoever has it open may
    // go on.
    if (!file->name_is_durable_ && dice.happens(0.5)) file->truncate(0), file->sync();
    file->lose_power(dice);
    file->name_is_durable_ = true;
  }
}

Disk::Image Disk::image() const {
  Image image;
  for (const auto& [name, file] : files_) image.emplace(name, file->cached_);
  return image;
}

void Disk::restore(const Image& image) {
  ghosts_.clear();
  for (auto& [name, file] : files_) {
    const auto at = image.find(name);
    file->cached_ = file->platter_ = at == image.end() ? "" : at->second;
    file->unsynced_.clear();
    file->written_.clear();
    file->name_is_durable_ = true;
  }
  for (const auto& [name, bytes] : image) {
    if (files_.contains(name)) continue;
    const std::shared_ptr<DiskFile> file = make(name);
    file->cached_ = file->platter_ = bytes;
    file->name_is_durable_ = true;
  }
}

}  // namespace dl::sim

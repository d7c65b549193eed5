#include "tests/sim/disk.h"

#include <algorithm>
#include <cstring>

namespace dl::sim {
namespace {

std::size_t index(std::int64_t n) { return static_cast<std::size_t>(n); }

}  // namespace

bool DiskFile::read(char* into, std::int64_t n, std::int64_t at) const {
  const std::int64_t there = std::clamp(size() - at, std::int64_t{0}, n);
  if (there > 0) std::memcpy(into, bytes_.data() + at, index(there));
  std::memset(into + there, 0, index(n - there));
  return there == n;
}

void DiskFile::keep_what_was(Change change) {
  change.size = size();
  change.from = before_.size();
  const std::int64_t end =
      change.n == kTruncation ? size() : std::min(change.at + change.n, size());
  if (change.at < end) before_.append(bytes_, index(change.at), index(end - change.at));
  unsynced_.push_back(change);
}

void DiskFile::put(const char* from, std::int64_t n, std::int64_t at) {
  if (size() < at + n) bytes_.resize(index(at + n));
  std::memcpy(bytes_.data() + at, from, index(n));
}

void DiskFile::write(const char* from, std::int64_t n, std::int64_t at) {
  keep_what_was({.at = at, .n = n});
  put(from, n, at);
}

void DiskFile::truncate(std::int64_t size) {
  keep_what_was({.at = size, .n = kTruncation});
  bytes_.resize(index(size));
}

void DiskFile::forget_changes() {
  unsynced_.clear();
  before_.clear();
}

void DiskFile::sync() {
  forget_changes();
  name_is_durable_ = true;
}

std::vector<std::string> DiskFile::go_back() {
  std::vector<std::string> written(unsynced_.size());
  for (std::size_t i = unsynced_.size(); i-- > 0;) {
    const Change& change = unsynced_[i];
    const std::size_t end = i + 1 < unsynced_.size() ? unsynced_[i + 1].from : before_.size();
    if (change.n != kTruncation) written[i] = bytes_.substr(index(change.at), index(change.n));
    bytes_.resize(index(change.size));
    if (end > change.from)
      std::memcpy(bytes_.data() + change.at, before_.data() + change.from, end - change.from);
  }
  return written;
}

void DiskFile::apply(const Change& change, const std::string& written) {
  if (change.n == kTruncation) return bytes_.resize(index(change.at));
  put(written.data(), change.n, change.at);
}

void DiskFile::apply_in_part(const Change& change, const std::string& written, Dice& dice) {
  if (change.n == kTruncation) {
    if (dice.happens(0.5)) apply(change, written);
    return;
  }
  for (std::int64_t at = change.at; at < change.at + change.n;) {
    const std::int64_t end = std::min((at / kSector + 1) * kSector, change.at + change.n);
    const char* from = written.data() + (at - change.at);
    switch (dice.between(0, 3)) {
      case 0: break;                                            // dropped
      case 1: put(from, dice.between(0, end - at), at); break;  // torn
      default: put(from, end - at, at);                         // kept
    }
    at = end;
  }
}

void DiskFile::lose_power(Dice& dice) {
  // Mostly sector by sector; sometimes all or nothing reached the platter, which are legal too.
  const bool all = dice.happens(0.1);
  const bool none = !all && dice.happens(0.2);
  if (!all) {
    const std::vector<std::string> written = go_back();
    for (std::size_t i = 0; i < written.size() && !none; ++i)
      apply_in_part(unsynced_[i], written[i], dice);
  }
  forget_changes();
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
  for (const auto& [name, file] : files_) image.emplace(name, file->bytes_);
  return image;
}

void Disk::restore(const Image& image) {
  ghosts_.clear();
  for (auto& [name, file] : files_) {
    const auto at = image.find(name);
    file->bytes_ = at == image.end() ? "" : at->second;
    file->forget_changes();
    file->name_is_durable_ = true;
  }
  for (const auto& [name, bytes] : image) {
    if (files_.contains(name)) continue;
    const std::shared_ptr<DiskFile> file = make(name);
    file->bytes_ = bytes;
    file->name_is_durable_ = true;
  }
}

}  // namespace dl::sim

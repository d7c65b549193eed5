#include "ingest/seen_entities.h"

#include <algorithm>
#include <functional>
#include <tuple>

namespace dl {

std::uint64_t SeenEntities::key_hash(std::string_view key) {
  return std::hash<std::string_view>{}(key);
}

Status SeenEntities::add(std::string_view key, std::string_view content, std::int64_t row) {
  const std::uint64_t hash = key_hash(key);
  const auto content_hash = static_cast<std::uint32_t>(std::hash<std::string_view>{}(content));
  parts_[hash >> 58].entries.push_back({hash, content_hash, static_cast<std::uint32_t>(row)});
  return ++held_ < in_memory_ ? Done{} : spill();
}

Status SeenEntities::spill() {
  if (!file_) {
    Result<SpillFile> file = SpillFile::create("the list of entities");
    if (!file) return file.error();
    file_.emplace(std::move(*file));
  }
  std::vector<Entry> block;
  for (Part& part : parts_) {
    if (part.entries.empty()) continue;
    block.assign(part.entries.begin(), part.entries.end());
    part.entries = {};
    part.pieces.push_back({file_->size(), block.size()});
    const std::string_view bytes(reinterpret_cast<const char*>(block.data()),
                                 block.size() * sizeof(Entry));
    if (Status ok = file_->append(bytes); !ok) return ok;
  }
  held_ = 0;
  return Done{};
}

// All entries of a part.
Result<std::vector<SeenEntities::Entry>> SeenEntities::take(Part& part) {
  std::vector<Entry> entries(part.entries.begin(), part.entries.end());
  part.entries = {};
  for (const Piece& piece : part.pieces) {
    const std::size_t before = entries.size();
    entries.resize(before + piece.entries);
    const std::span<Entry> read = std::span(entries).subspan(before);
    const std::span<char> bytes(reinterpret_cast<char*>(read.data()), read.size_bytes());
    Result<std::size_t> got = file_->read_at(piece.offset, bytes);
    if (!got) return got.error();
    if (*got < bytes.size()) return Error{Errc::io, "the list of entities: the file was cut"};
  }
  return entries;
}

Result<SeenEntities::Found> SeenEntities::find() {
  Found found;
  for (Part& part : parts_) {
    Result<std::vector<Entry>> entries = take(part);
    if (!entries) return entries.error();
    std::sort(entries->begin(), entries->end(), [](const Entry& a, const Entry& b) {
      return std::tie(a.key, a.row) < std::tie(b.key, b.row);
    });
    const Entry* first = nullptr;
    for (const Entry& entry : *entries) {
      if (first == nullptr || first->key != entry.key) {
        first = &entry;
        continue;
      }
      ++found.again;
      if (first->content != entry.content) {
        found.suspicions.push_back({first->row, entry.row, entry.key});
      }
    }
    part = {};
  }
  std::sort(found.suspicions.begin(), found.suspicions.end(),
            [](const Suspicion& a, const Suspicion& b) {
              return std::tie(a.later_row, a.first_row) < std::tie(b.later_row, b.first_row);
            });
  return found;
}

}  // namespace dl

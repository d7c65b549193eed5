#include "storage/generation_file.h"

#include <fcntl.h>
#include <sys/stat.h>
#include <unistd.h>

#include <array>
#include <cerrno>
#include <cstring>
#include <filesystem>
#include <sstream>
#include <utility>

#include "storage/fault/failing_files.h"
#include "storage/model/check.h"

namespace dl {
namespace {

constexpr mode_t kMode = 0660;
constexpr std::size_t kBytes = 256;  // below a sector, so that it is written whole or not at all
constexpr const char* kMagic = "demandlink-generation-2";
constexpr Millis kSyncsEvery = 100;

Error trouble(const std::string& path, const char* what) {
  const bool is_full = errno == ENOSPC || errno == EDQUOT;
  return Error{Errc::io, path + ": " + what + ": " + std::strerror(errno) +
                             (is_full ? " (the disk is full)" : "")};
}

// A copy has another inode, or at least another birth: inodes are used again.
std::string identity_of(int fd) {
  struct statx info {};
  if (statx(fd, "", AT_EMPTY_PATH, STATX_INO | STATX_BTIME, &info) != 0) return "";
  const bool has_birth = (info.stx_mask & STATX_BTIME) != 0;
  return std::to_string(info.stx_ino) + "." +
         (has_birth
              ? std::to_string(info.stx_btime.tv_sec) + "." + std::to_string(info.stx_btime.tv_nsec)
              : "0");
}

// The name of a new file is as durable as its content.
bool sync_folder_of(const std::string& path) {
  const std::filesystem::path folder = std::filesystem::path(path).parent_path();
  const int fd = ::open(folder.empty() ? "." : folder.c_str(), O_RDONLY | O_DIRECTORY | O_CLOEXEC);
  if (fd < 0) return false;
  const bool synced = !fault::fails_sync() && fsync(fd) == 0;
  close(fd);
  return synced;
}

}  // namespace

Result<GenerationFile> GenerationFile::open(const std::string& database_path) {
  const std::string path = database_path + ".generation";
  const int fd = ::open(path.c_str(), O_RDWR | O_CREAT | O_CLOEXEC | O_NOFOLLOW, kMode);
  if (fd < 0) {
    const Errc code = errno == EACCES ? Errc::no_permission : Errc::cant_create;
    return Error{code, path + ": " + std::strerror(errno)};
  }
  GenerationFile file(path, fd);
  if (Status ok = file.read(); !ok) return ok.error();
  return file;
}

GenerationFile::GenerationFile(GenerationFile&& other) noexcept
    : path_(std::move(other.path_)),
      fd_(std::exchange(other.fd_, -1)),
      itself_(std::move(other.itself_)),
      is_empty_(other.is_empty_),
      is_readable_(other.is_readable_),
      says_itself_(std::move(other.says_itself_)),
      database_id_(std::move(other.database_id_)),
      generation_(other.generation_),
      last_sent_(std::move(other.last_sent_)),
      is_synced_(other.is_synced_),
      lacks_room_(other.lacks_room_),
      synced_boot_ms_(other.synced_boot_ms_) {}

GenerationFile::~GenerationFile() {
  if (fd_ >= 0) close(fd_);
}

Status GenerationFile::read() {
  itself_ = identity_of(fd_);
  if (itself_.empty()) return trouble(path_, "statx");
  std::array<char, kBytes> bytes{};
  const ssize_t size = pread(fd_, bytes.data(), bytes.size(), 0);
  if (size < 0) return trouble(path_, "read");
  is_empty_ = size == 0;
  std::istringstream text(std::string(bytes.data(), static_cast<std::size_t>(size)));
  std::string magic;
  std::string end;
  text >> magic >> database_id_ >> generation_ >> says_itself_ >> last_sent_.request.value >>
      last_sent_.at_ms >> last_sent_.instance >> end;
  is_readable_ = text && magic == kMagic && end == "." && generation_ > 0;
  if (!is_readable_) generation_ = 0;
  if (!is_readable_ || !last_sent_.request) last_sent_ = {};
  return Done{};
}

std::string GenerationFile::distrust(const std::string& database_id,
                                     std::int64_t generation) const {
  if (is_empty_) {
    if (generation == 1) return "";
    return path_ + " is missing: the database was moved or copied without it, or it was deleted";
  }
  if (!is_readable_) return path_ + " cannot be read";
  if (says_itself_ != itself_)
    return path_ + " is a copy: the database was copied or restored together with it";
  if (database_id != database_id_)
    return path_ + " belongs to another database (" + database_id_ + ")";
  const std::string numbers = " (generation " + std::to_string(generation) +
                              ", the file beside it says " + std::to_string(generation_) + ")";
  if (generation < generation_)
    return "the database is an older copy of what was sent from" + numbers;
  if (generation > generation_ + 1) return path_ + " is older than the database" + numbers;
  return "";
}

Status GenerationFile::write(const std::string& database_id, std::int64_t generation,
                             const LastSent& last_sent) {
  const bool is_new = is_empty_;
  if (Status ok = put(database_id, generation, last_sent); !ok) return ok;
  if (Status ok = sync(); !ok) return ok;
  if (is_new && !sync_folder_of(path_)) return trouble(path_, "sync of its folder failed");
  return Done{};
}

Status GenerationFile::note(const LastSent& last_sent, Moment now) {
  if (Status ok = put(database_id_, generation_, last_sent); !ok) return ok;
  return settle(now);
}

Status GenerationFile::settle(Moment now) {
  if (is_synced_ || now.boot_ms - synced_boot_ms_ < kSyncsEvery) return Done{};
  synced_boot_ms_ = now.boot_ms;
  return sync();
}

// What was not written is not what the file says: the next call does it anew.
Status GenerationFile::put(const std::string& database_id, std::int64_t generation,
                           const LastSent& last_sent) {
  is_synced_ = false;
  std::string text = std::string(kMagic) + " " + database_id + " " + std::to_string(generation) +
                     " " + itself_ + " " + std::to_string(last_sent.request.value) + " " +
                     std::to_string(last_sent.at_ms) + " " +
                     (last_sent.instance.empty() ? "-" : last_sent.instance) + " .\n";
  DL_CHECK(text.size() <= kBytes, "it fits into a sector");
  text.resize(kBytes, ' ');
  errno = 0;
  if (fault::fails_write() ||
      pwrite(fd_, text.data(), text.size(), 0) != static_cast<ssize_t>(text.size())) {
    // a part of it: there was no room for the rest
    lacks_room_ = errno == ENOSPC || errno == EDQUOT || errno == 0;
    if (errno == 0) errno = ENOSPC;
    return trouble(path_, "write");
  }
  lacks_room_ = false;
  database_id_ = database_id;
  generation_ = generation;
  last_sent_ = last_sent;
  is_empty_ = false;
  is_readable_ = true;
  says_itself_ = itself_;
  return Done{};
}

Status GenerationFile::sync() {
  if (fault::fails_sync() || fdatasync(fd_) != 0) return trouble(path_, "sync failed");
  is_synced_ = true;
  return Done{};
}

}  // namespace dl

#include "storage/room_ahead.h"

#include <fcntl.h>
#include <sys/stat.h>

#include <algorithm>
#include <cerrno>
#include <charconv>
#include <filesystem>
#include <system_error>

namespace dl {
namespace {

constexpr std::int64_t kStrideMax = 1024 * 1024;

}  // namespace

RoomAhead RoomAhead::of(const std::string& path) {
  RoomAhead room;
  struct stat wanted {};
  if (stat(path.c_str(), &wanted) != 0) return room;
  std::error_code error;
  for (std::filesystem::directory_iterator at("/proc/self/fd", error), end; !error && at != end;
       at.increment(error)) {
    const std::string name = at->path().filename();
    int file = -1;
    std::from_chars(name.data(), name.data() + name.size(), file);
    struct stat info {};
    const bool is_it =
        fstat(file, &info) == 0 && info.st_dev == wanted.st_dev && info.st_ino == wanted.st_ino;
    if (!is_it || (fcntl(file, F_GETFL) & O_ACCMODE) != O_RDWR) continue;
    room.file_ = file;
    room.device_ = wanted.st_dev;
    room.inode_ = wanted.st_ino;
  }
  return room;
}

bool RoomAhead::reserve(std::int64_t bytes) {
  if (file_ < 0 || bytes <= reserved_bytes_) return true;
  struct stat info {};
  // not ours any more
  if (fstat(file_, &info) != 0 || info.st_dev != device_ || info.st_ino != inode_) return true;
  // More than is asked for, so that not every commit has to ask; but little beside what the file
  // has already.
  const std::int64_t generous = bytes + std::min(kStrideMax, info.st_size / 16);
  for (const std::int64_t wanted : {generous, bytes}) {
    reserved_bytes_ = wanted;
    if (wanted <= info.st_size ||
        fallocate(file_, FALLOC_FL_KEEP_SIZE, info.st_size, wanted - info.st_size) == 0)
      return true;
    if (errno != ENOSPC && errno != EDQUOT) return true;
  }
  reserved_bytes_ = 0;
  return false;
}

}  // namespace dl

#include "tests/sim/vfs.h"

#include <algorithm>
#include <cstring>
#include <new>
#include <string_view>

#include "storage/model/check.h"

namespace dl::sim {

struct Vfs::Handle {
  sqlite3_file base;  // first: SQLite's view of it
  Vfs* vfs = nullptr;
  Pid pid;
  std::shared_ptr<DiskFile> file;
  std::string name;  // empty: a temporary file
  int level = SQLITE_LOCK_NONE;
  std::uint32_t shared = 0;  // bits: locks on the shared memory
  std::uint32_t exclusive = 0;
  bool has_shm = false;
  bool is_dead = false;  // with its process
};

// What SQLite calls. Each begins with whether its process is still alive.
struct VfsCalls {
  using Handle = Vfs::Handle;
  static Handle& of(sqlite3_file* file) { return *reinterpret_cast<Handle*>(file); }
  static bool is_dead(const Handle& handle) { return handle.is_dead; }

  static int close(sqlite3_file* file) {
    Handle& handle = of(file);
    std::erase(handle.vfs->handles_, &handle);
    handle.~Handle();
    return SQLITE_OK;
  }

  static int read(sqlite3_file* file, void* into, int n, sqlite3_int64 at) {
    const Handle& handle = of(file);
    if (is_dead(handle)) return SQLITE_IOERR_READ;
    const bool complete = handle.file->read(static_cast<char*>(into), n, at);
    return complete ? SQLITE_OK : SQLITE_IOERR_SHORT_READ;
  }

  static int write(sqlite3_file* file, const void* from, int n, sqlite3_int64 at) {
    Handle& handle = of(file);
    if (is_dead(handle)) return SQLITE_IOERR_WRITE;
    const auto* bytes = static_cast<const char*>(from);
    if (!handle.name.empty() && handle.vfs->dies_now(handle.pid)) {
      const std::int64_t part = handle.vfs->armed_->dice->between(0, n);
      if (part > 0) handle.file->write(bytes, part, at);
      handle.vfs->mark_dead(handle.pid);
      return SQLITE_IOERR_WRITE;
    }
    handle.file->write(bytes, n, at);
    if (handle.name.empty()) handle.file->sync();  // nobody asks a temporary file for more
    return SQLITE_OK;
  }

  static int truncate(sqlite3_file* file, sqlite3_int64 size) {
    Handle& handle = of(file);
    if (is_dead(handle)) return SQLITE_IOERR_TRUNCATE;
    if (!handle.name.empty() && handle.vfs->dies_now(handle.pid)) {
      if (handle.vfs->armed_->dice->happens(0.5)) handle.file->truncate(size);
      handle.vfs->mark_dead(handle.pid);
      return SQLITE_IOERR_TRUNCATE;
    }
    handle.file->truncate(size);
    return SQLITE_OK;
  }

  static int sync(sqlite3_file* file, int) {
    Handle& handle = of(file);
    if (is_dead(handle)) return SQLITE_IOERR_FSYNC;
    if (handle.vfs->dies_now(handle.pid)) {
      if (handle.vfs->armed_->dice->happens(0.3)) handle.file->sync();  // done, but nobody was told
      handle.vfs->mark_dead(handle.pid);
      return SQLITE_IOERR_FSYNC;
    }
    handle.file->sync();
    return SQLITE_OK;
  }

  static int file_size(sqlite3_file* file, sqlite3_int64* size) {
    const Handle& handle = of(file);
    if (is_dead(handle)) return SQLITE_IOERR_FSTAT;
    *size = handle.file->size();
    return SQLITE_OK;
  }

  static bool others_hold(const Handle& mine, int level) {
    return std::ranges::any_of(mine.vfs->handles_, [&](const Handle* other) {
      return other != &mine && other->file == mine.file && other->level >= level &&
             !is_dead(*other);
    });
  }

  static int lock(sqlite3_file* file, int level) {
    Handle& handle = of(file);
    if (is_dead(handle)) return SQLITE_IOERR_LOCK;
    if (handle.level >= level) return SQLITE_OK;
    const int enemy = level == SQLITE_LOCK_SHARED     ? SQLITE_LOCK_PENDING
                      : level == SQLITE_LOCK_RESERVED ? SQLITE_LOCK_RESERVED
                                                      : SQLITE_LOCK_SHARED;
    if (others_hold(handle, enemy)) return SQLITE_BUSY;
    handle.level = level;
    return SQLITE_OK;
  }

  static int unlock(sqlite3_file* file, int level) {
    of(file).level = std::min(of(file).level, level);
    return SQLITE_OK;
  }

  static int check_reserved_lock(sqlite3_file* file, int* result) {
    *result = others_hold(of(file), SQLITE_LOCK_RESERVED) ? 1 : 0;
    return SQLITE_OK;
  }

  static int file_control(sqlite3_file*, int, void*) { return SQLITE_NOTFOUND; }
  static int sector_size(sqlite3_file*) { return 4096; }
  static int device_characteristics(sqlite3_file*) { return SQLITE_IOCAP_POWERSAFE_OVERWRITE; }

  static int shm_map(sqlite3_file* file, int region, int size, int extend, void volatile** at) {
    Handle& handle = of(file);
    *at = nullptr;
    if (is_dead(handle)) return SQLITE_IOERR_SHMMAP;
    auto& regions = handle.vfs->shm_.regions;
    DL_CHECK(size == 32'768, "SQLite's regions have this size");
    handle.has_shm = true;
    while (static_cast<int>(regions.size()) <= region) {
      if (extend == 0) return SQLITE_OK;
      regions.push_back(std::make_unique<std::array<char, 32'768>>());
    }
    *at = regions[static_cast<std::size_t>(region)]->data();
    return SQLITE_OK;
  }

  static int shm_lock(sqlite3_file* file, int offset, int n, int flags) {
    Handle& mine = of(file);
    const std::uint32_t bits = ((1U << n) - 1U) << offset;
    if ((flags & SQLITE_SHM_UNLOCK) != 0) {
      mine.shared &= ~bits;
      mine.exclusive &= ~bits;
      return SQLITE_OK;
    }
    if (is_dead(mine)) return SQLITE_IOERR_SHMLOCK;
    const bool wants_all = (flags & SQLITE_SHM_EXCLUSIVE) != 0;
    for (const Handle* other : mine.vfs->handles_) {
      if (other == &mine || is_dead(*other)) continue;
      const std::uint32_t enemy = wants_all ? other->shared | other->exclusive : other->exclusive;
      if ((enemy & bits) != 0) return SQLITE_BUSY;
    }
    (wants_all ? mine.exclusive : mine.shared) |= bits;
    return SQLITE_OK;
  }

  static void shm_barrier(sqlite3_file*) {}
  static int shm_unmap(sqlite3_file* file, int) {
    of(file).has_shm = false;
    return SQLITE_OK;
  }
  static int fetch(sqlite3_file*, sqlite3_int64, int, void** at) {
    *at = nullptr;
    return SQLITE_OK;
  }
  static int unfetch(sqlite3_file*, sqlite3_int64, void*) { return SQLITE_OK; }

  static Vfs& self(sqlite3_vfs* vfs) { return *static_cast<Vfs*>(vfs->pAppData); }

  static const sqlite3_io_methods kMethods;

  static int open(sqlite3_vfs* vfs, const char* name, sqlite3_file* file, int flags, int* out) {
    auto* handle = new (file) Handle();
    handle->vfs = &self(vfs);
    handle->pid = handle->vfs->current_;
    if (name == nullptr) {
      handle->pid = kObserver;  // its connection dies, nobody can ask it
      handle->file = std::make_shared<DiskFile>();
    } else {
      handle->name = name;
      handle->file = handle->vfs->disk_.find(name);
      if (!handle->file && (flags & SQLITE_OPEN_CREATE) != 0) {
        handle->file = handle->vfs->disk_.make(name);
      }
    }
    if (!handle->file) {
      handle->~Handle();
      file->pMethods = nullptr;
      return SQLITE_CANTOPEN;
    }
    handle->base.pMethods = &kMethods;
    handle->vfs->handles_.push_back(handle);
    if (out != nullptr) *out = flags;
    return SQLITE_OK;
  }

  static int remove(sqlite3_vfs* vfs, const char* name, int sync_folder) {
    self(vfs).disk_.remove(name, sync_folder != 0);
    return SQLITE_OK;
  }
  static int access(sqlite3_vfs* vfs, const char* name, int, int* result) {
    const std::shared_ptr<DiskFile> file = self(vfs).disk_.find(name);
    *result = file && file->size() > 0 ? 1 : 0;  // an empty file counts as none, as in unix
    return SQLITE_OK;
  }
  static int full_pathname(sqlite3_vfs*, const char* name, int n, char* into) {
    sqlite3_snprintf(n, into, "%s", name);
    return SQLITE_OK;
  }
  static int randomness(sqlite3_vfs*, int n, char* into) {
    std::memset(into, 7, static_cast<std::size_t>(n));
    return n;
  }
  static int sleep(sqlite3_vfs*, int microseconds) { return microseconds; }
  static int current_time_ms(sqlite3_vfs* vfs, sqlite3_int64* at) {
    constexpr sqlite3_int64 kUnixEpoch = 24405875LL * 8'640'000LL;  // a Julian day, in ms
    *at = kUnixEpoch + self(vfs).wall_clock_ms_();
    return SQLITE_OK;
  }
  static int current_time(sqlite3_vfs* vfs, double* at) {
    sqlite3_int64 ms = 0;
    current_time_ms(vfs, &ms);
    *at = static_cast<double>(ms) / 86'400'000.0;
    return SQLITE_OK;
  }
  static int last_error(sqlite3_vfs*, int, char*) { return 0; }
};

const sqlite3_io_methods VfsCalls::kMethods = {3,
                                               close,
                                               read,
                                               write,
                                               truncate,
                                               sync,
                                               file_size,
                                               lock,
                                               unlock,
                                               check_reserved_lock,
                                               file_control,
                                               sector_size,
                                               device_characteristics,
                                               shm_map,
                                               shm_lock,
                                               shm_barrier,
                                               shm_unmap,
                                               fetch,
                                               unfetch};

Vfs::Vfs(std::function<std::int64_t()> wall_clock_ms)
    : wall_clock_ms_(std::move(wall_clock_ms)), vfs_(std::make_unique<sqlite3_vfs>()) {
  vfs_->iVersion = 2;
  vfs_->szOsFile = sizeof(Handle);
  vfs_->mxPathname = 512;
  vfs_->zName = kName;
  vfs_->pAppData = this;
  vfs_->xOpen = VfsCalls::open;
  vfs_->xDelete = VfsCalls::remove;
  vfs_->xAccess = VfsCalls::access;
  vfs_->xFullPathname = VfsCalls::full_pathname;
  vfs_->xRandomness = VfsCalls::randomness;
  vfs_->xSleep = VfsCalls::sleep;
  vfs_->xCurrentTime = VfsCalls::current_time;
  vfs_->xCurrentTimeInt64 = VfsCalls::current_time_ms;
  vfs_->xGetLastError = VfsCalls::last_error;
  DL_CHECK(sqlite3_vfs_register(vfs_.get(), 0) == SQLITE_OK, "SQLite takes the VFS");
}

Vfs::~Vfs() {
  DL_CHECK(handles_.empty(), "connections are closed before their VFS ends");
  sqlite3_vfs_unregister(vfs_.get());
}

bool Vfs::is_dead(Pid pid) const {
  return std::ranges::any_of(
      handles_, [pid](const Handle* handle) { return handle->pid == pid && handle->is_dead; });
}

bool Vfs::dies_now(Pid pid) { return armed_ && armed_->pid == pid && --armed_->calls <= 0; }

// The moment of death: what others see of the shared memory is what it is now.
void Vfs::mark_dead(Pid pid) {
  for (Handle* handle : handles_) {
    if (handle->pid == pid) handle->is_dead = true;
  }
  shm_at_death_.clear();
  for (const auto& region : shm_.regions) shm_at_death_.push_back(*region);
  armed_.reset();
}

bool Vfs::anybody_else_has_shm(Pid pid) const {
  return std::ranges::any_of(handles_, [pid](const Handle* handle) {
    return handle->has_shm && handle->pid != pid && handle->pid != kObserver && !handle->is_dead;
  });
}

void Vfs::kill(Pid pid) {
  if (!is_dead(pid)) mark_dead(pid);
  for (Handle* handle : handles_) {
    if (handle->pid == pid) handle->shared = handle->exclusive = 0;
  }
  if (anybody_else_has_shm(pid)) {
    for (std::size_t i = 0; i < shm_at_death_.size(); ++i) *shm_.regions[i] = shm_at_death_[i];
  } else {
    for (auto& region : shm_.regions) region->fill(0);
  }
}

void Vfs::lose_power(Dice& dice) {
  armed_.reset();
  for (Handle* handle : handles_) {
    if (handle->pid == kObserver) continue;
    handle->is_dead = true;
    handle->shared = handle->exclusive = 0;
  }
  for (auto& region : shm_.regions) region->fill(0);
  disk_.lose_power(dice);
}

void Vfs::revive(Pid dead, Pid born) {
  for (Handle* handle : handles_) {
    if (handle->pid != dead) continue;
    handle->pid = born;
    handle->is_dead = false;
  }
}

void Vfs::restore(const Disk::Image& image) {
  armed_.reset();
  for (auto& region : shm_.regions) region->fill(0);
  for (Handle* handle : handles_) {
    handle->shared = handle->exclusive = 0;
    handle->is_dead = false;
  }
  disk_.restore(image);
}

}  // namespace dl::sim

#include "storage/fault/failing_files.h"

#include <sqlite3.h>

#include "storage/fault/fault_point.h"

namespace dl::fault {
namespace {

// SQLite allocates szOsFile bytes for a file: this, and the system's own file behind it.
struct File {
  sqlite3_file base;
  sqlite3_file* real() { return reinterpret_cast<sqlite3_file*>(this + 1); }
};

sqlite3_file* real(sqlite3_file* file) { return reinterpret_cast<File*>(file)->real(); }

sqlite3_vfs* g_system = nullptr;

int close(sqlite3_file* file) { return real(file)->pMethods->xClose(real(file)); }

int read(sqlite3_file* file, void* bytes, int size, sqlite3_int64 offset) {
  if (const Fault* const fault = due("vfs.read")) {
    perform(*fault);
    if (take_trouble_of_write() != FileTrouble::none) return SQLITE_IOERR_READ;
  }
  return real(file)->pMethods->xRead(real(file), bytes, size, offset);
}

// Half of it is written before the fault: torn, as by a kill in the middle or a disk that is full.
int write(sqlite3_file* file, const void* bytes, int size, sqlite3_int64 offset) {
  sqlite3_file* const under = real(file);
  DL_FAULT_POINT_AFTER("vfs.write", under->pMethods->xWrite(under, bytes, size / 2, offset));
  switch (take_trouble_of_write()) {
    case FileTrouble::none: break;
    case FileTrouble::eio: return SQLITE_IOERR_WRITE;
    case FileTrouble::enospc: return SQLITE_FULL;
  }
  return under->pMethods->xWrite(under, bytes, size, offset);
}

int truncate(sqlite3_file* file, sqlite3_int64 size) {
  return real(file)->pMethods->xTruncate(real(file), size);
}

// As SQLite's own layer does, whatever the error: a sync that failed.
int sync(sqlite3_file* file, int flags) {
  if (const Fault* const fault = due("vfs.sync")) {
    perform(*fault);
    if (take_trouble_of_write() != FileTrouble::none) return SQLITE_IOERR_FSYNC;
  }
  if (take_trouble_of_sync() != FileTrouble::none) return SQLITE_IOERR_FSYNC;
  return real(file)->pMethods->xSync(real(file), flags);
}

int file_size(sqlite3_file* file, sqlite3_int64* size) {
  return real(file)->pMethods->xFileSize(real(file), size);
}
int lock(sqlite3_file* file, int level) { return real(file)->pMethods->xLock(real(file), level); }
int unlock(sqlite3_file* file, int level) {
  return real(file)->pMethods->xUnlock(real(file), level);
}
int check_lock(sqlite3_file* file, int* held) {
  return real(file)->pMethods->xCheckReservedLock(real(file), held);
}
int control(sqlite3_file* file, int what, void* argument) {
  return real(file)->pMethods->xFileControl(real(file), what, argument);
}
int sector_size(sqlite3_file* file) { return real(file)->pMethods->xSectorSize(real(file)); }
int traits(sqlite3_file* file) { return real(file)->pMethods->xDeviceCharacteristics(real(file)); }

int map(sqlite3_file* file, int page, int size, int extend, void volatile** address) {
  reach("vfs.map");
  if (extend != 0 && take_trouble_of_write() != FileTrouble::none) return SQLITE_IOERR_SHMSIZE;
  return real(file)->pMethods->xShmMap(real(file), page, size, extend, address);
}
int map_lock(sqlite3_file* file, int offset, int n, int flags) {
  return real(file)->pMethods->xShmLock(real(file), offset, n, flags);
}
void map_barrier(sqlite3_file* file) { real(file)->pMethods->xShmBarrier(real(file)); }
int unmap(sqlite3_file* file, int remove) {
  return real(file)->pMethods->xShmUnmap(real(file), remove);
}
int fetch(sqlite3_file* file, sqlite3_int64 offset, int size, void** address) {
  return real(file)->pMethods->xFetch(real(file), offset, size, address);
}
int unfetch(sqlite3_file* file, sqlite3_int64 offset, void* address) {
  return real(file)->pMethods->xUnfetch(real(file), offset, address);
}

constexpr sqlite3_io_methods kMethods = {
    3,      close,       read,   write, truncate, sync,     file_size,   lock,  unlock, check_lock,
    control, sector_size, traits, map,   map_lock, map_barrier, unmap, fetch, unfetch};

int open(sqlite3_vfs*, const char* path, sqlite3_file* file, int flags, int* flags_out) {
  sqlite3_file* const under = real(file);
  under->pMethods = nullptr;
  const int code = g_system->xOpen(g_system, path, under, flags, flags_out);
  file->pMethods = under->pMethods == nullptr ? nullptr : &kMethods;
  return code;
}

}  // namespace

// The system's other functions look at nothing of the layer they are called with but its pAppData
// and mxPathname, so they are taken over as they are.
void install_failing_files() {
  static sqlite3_vfs layer;
  g_system = sqlite3_vfs_find(nullptr);
  layer = *g_system;
  layer.zName = "dl-failing-files";
  layer.szOsFile += static_cast<int>(sizeof(File));
  layer.xOpen = open;
  sqlite3_vfs_register(&layer, 1);
}

}  // namespace dl::fault

#include "storage/fault/failing_files.h"

#include <sqlite3.h>

#include <cerrno>

#include "storage/fault/fault_point.h"
#include "storage/file_layer.h"

namespace dl::fault {
namespace {

// The system's own file lies behind it.
struct File {
  sqlite3_file base;
  sqlite3_file* under() { return reinterpret_cast<sqlite3_file*>(this + 1); }
};
using System = FileLayer<File>;  // passes on

sqlite3_vfs* g_system = nullptr;

int read(sqlite3_file* file, void* bytes, int size, sqlite3_int64 offset) {
  if (const Fault* const fault = due("vfs.read")) {
    perform(*fault);
    if (take_trouble_of_write() != FileTrouble::none) return SQLITE_IOERR_READ;
  }
  return System::read(file, bytes, size, offset);
}

// Half of it is written before the fault: torn, as by a kill in the middle or a disk that is full.
int write(sqlite3_file* file, const void* bytes, int size, sqlite3_int64 offset) {
  DL_FAULT_POINT_AFTER("vfs.write", System::write(file, bytes, size / 2, offset));
  switch (take_trouble_of_write()) {
    case FileTrouble::none: break;
    case FileTrouble::eio: return SQLITE_IOERR_WRITE;
    case FileTrouble::enospc: return SQLITE_FULL;
  }
  return System::write(file, bytes, size, offset);
}

// As SQLite's own layer does, whatever the error: a sync that failed.
int sync(sqlite3_file* file, int flags) {
  if (const Fault* const fault = due("vfs.sync")) {
    perform(*fault);
    if (take_trouble_of_write() != FileTrouble::none) return SQLITE_IOERR_FSYNC;
  }
  if (take_trouble_of_sync() != FileTrouble::none) return SQLITE_IOERR_FSYNC;
  return System::sync(file, flags);
}

bool fails_by(FileTrouble trouble) {
  if (trouble != FileTrouble::none) errno = trouble == FileTrouble::enospc ? ENOSPC : EIO;
  return trouble != FileTrouble::none;
}

int map(sqlite3_file* file, int page, int size, int extend, void volatile** address) {
  reach("vfs.map");
  if (extend != 0 && take_trouble_of_write() != FileTrouble::none) return SQLITE_IOERR_SHMSIZE;
  return System::map(file, page, size, extend, address);
}

constexpr sqlite3_io_methods kMethods = [] {
  sqlite3_io_methods all = System::methods(3);
  all.xRead = read;
  all.xWrite = write;
  all.xSync = sync;
  all.xShmMap = map;
  return all;
}();

int open(sqlite3_vfs*, const char* path, sqlite3_file* file, int flags, int* flags_out) {
  sqlite3_file* const under = System::under(file);
  under->pMethods = nullptr;
  const int code = g_system->xOpen(g_system, path, under, flags, flags_out);
  file->pMethods = under->pMethods == nullptr ? nullptr : &kMethods;
  return code;
}

}  // namespace

bool fails_write() {
  reach("vfs.write");
  return fails_by(take_trouble_of_write());
}

bool fails_sync() {
  if (const Fault* const fault = due("vfs.sync")) {
    perform(*fault);
    if (fails_by(take_trouble_of_write())) return true;
  }
  return fails_by(take_trouble_of_sync());
}

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

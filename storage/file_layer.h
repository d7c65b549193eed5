// The part that every layer over SQLite's files (a VFS shim) has in common: a table of functions
// that pass each call on to the file below. A layer takes it and puts its own functions in the few
// places that it is about.
//
// `File` begins with a sqlite3_file and has under(), the file of the layer below: SQLite allocates
// szOsFile bytes for a file, and a layer asks for its own size on top of that of the layer below.
// Thread rule: as the layer below.
#pragma once

#include <sqlite3.h>

namespace dl {

template <class File>
struct FileLayer {
  static File* of(sqlite3_file* file) { return reinterpret_cast<File*>(file); }
  static sqlite3_file* under(sqlite3_file* file) { return of(file)->under(); }
  static const sqlite3_io_methods& below(sqlite3_file* file) { return *under(file)->pMethods; }

  // iVersion is 1 to 3: what the layer below cannot do, SQLite must not ask of this one.
  static constexpr sqlite3_io_methods methods(int version) {
    return {version,  close,       read,       write,   truncate,    sync,   file_size,
            lock,     unlock,      check_lock, control, sector_size, traits, map,
            map_lock, map_barrier, unmap,      fetch,   unfetch};
  }

  static int close(sqlite3_file* file) { return below(file).xClose(under(file)); }
  static int read(sqlite3_file* file, void* bytes, int size, sqlite3_int64 offset) {
    return below(file).xRead(under(file), bytes, size, offset);
  }
  static int write(sqlite3_file* file, const void* bytes, int size, sqlite3_int64 offset) {
    return below(file).xWrite(under(file), bytes, size, offset);
  }
  static int truncate(sqlite3_file* file, sqlite3_int64 size) {
    return below(file).xTruncate(under(file), size);
  }
  static int sync(sqlite3_file* file, int flags) { return below(file).xSync(under(file), flags); }
  static int file_size(sqlite3_file* file, sqlite3_int64* size) {
    return below(file).xFileSize(under(file), size);
  }
  static int lock(sqlite3_file* file, int level) { return below(file).xLock(under(file), level); }
  static int unlock(sqlite3_file* file, int level) {
    return below(file).xUnlock(under(file), level);
  }
  static int check_lock(sqlite3_file* file, int* held) {
    return below(file).xCheckReservedLock(under(file), held);
  }
  static int control(sqlite3_file* file, int what, void* argument) {
    return below(file).xFileControl(under(file), what, argument);
  }
  static int sector_size(sqlite3_file* file) { return below(file).xSectorSize(under(file)); }
  static int traits(sqlite3_file* file) { return below(file).xDeviceCharacteristics(under(file)); }
  static int map(sqlite3_file* file, int page, int size, int extend, void volatile** address) {
    return below(file).xShmMap(under(file), page, size, extend, address);
  }
  static int map_lock(sqlite3_file* file, int first, int n, int flags) {
    return below(file).xShmLock(under(file), first, n, flags);
  }
  static void map_barrier(sqlite3_file* file) { below(file).xShmBarrier(under(file)); }
  static int unmap(sqlite3_file* file, int remove) {
    return below(file).xShmUnmap(under(file), remove);
  }
  static int fetch(sqlite3_file* file, sqlite3_int64 offset, int size, void** address) {
    return below(file).xFetch(under(file), offset, size, address);
  }
  static int unfetch(sqlite3_file* file, sqlite3_int64 offset, void* address) {
    return below(file).xUnfetch(under(file), offset, address);
  }
};

}  // namespace dl

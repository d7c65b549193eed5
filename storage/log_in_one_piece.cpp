#include "storage/log_in_one_piece.h"

#include <sqlite3.h>

#include <algorithm>
#include <cstddef>
#include <cstdio>
#include <cstdlib>
#include <iterator>
#include <list>
#include <mutex>
#include <new>
#include <string>
#include <utility>
#include <vector>

#include "storage/file_layer.h"
#include "storage/model/check.h"

namespace dl {
namespace {

// SQLite's unix layer writes no more than 0x1ffff bytes at once
constexpr std::size_t kPieceMax = 120 * 1024;
// https://sqlite.org/fileformat2.html, 4.1; SQLite writes it by itself, then the page
constexpr int kFrameHeaderBytes = 24;
constexpr int kInPieces = 0x646c01;  // a file control of ours: those up to 100 are SQLite's
constexpr int kExitIoError = 74;     // EX_IOERR of sysexits.h
// of the locks in the -shm file: https://sqlite.org/walformat.html, 2.3.1
constexpr int kWriterLock = 0;

// Held back: bytes that follow one another, from `offset` on.
struct Piece {
  std::vector<char> bytes;
  sqlite3_int64 offset = 0;
  // where the last page of a commit belongs whose header was written; early is no harm
  sqlite3_int64 last_page_at = -1;

  void drop() { bytes.clear(); }
  bool is_empty() const { return bytes.empty(); }
  sqlite3_int64 end() const { return offset + static_cast<sqlite3_int64>(bytes.size()); }
};

// SQLite allocates szOsFile bytes for a file: this, and the layer below's own file behind it.
struct File {
  sqlite3_file base{};
  File* database = nullptr;  // of a log, else none
  File* log = nullptr;       // of a database, while it has its log open
  // of a database: it was seen to take the writer's lock. Else nothing is held: who would drop it?
  bool is_writing = false;
  bool checkpoints_in_pieces = false;  // of a database: it may hold back what a checkpoint copies
  bool is_checkpointing = false;       // and does so now
  // SQLite was told that a page of this checkpoint could not be written
  bool has_refused = false;
  Piece piece;

  bool is_log() const { return database != nullptr; }
  sqlite3_file* under() { return reinterpret_cast<sqlite3_file*>(this + 1); }

  // What could not be written stays held: who asks next tries again, or drops it.
  int write_piece() {
    if (piece.is_empty()) return SQLITE_OK;
    const int code = under()->pMethods->xWrite(under(), piece.bytes.data(),
                                               static_cast<int>(piece.bytes.size()), piece.offset);
    if (code == SQLITE_OK) piece.drop();
    return code;
  }

  // What does not follow what is held sends that off first.
  int hold(const void* bytes, int size, sqlite3_int64 offset) {
    const bool fits =
        offset == piece.end() && piece.bytes.size() + static_cast<std::size_t>(size) <= kPieceMax;
    if (!fits) {
      if (const int code = write_piece(); code != SQLITE_OK) return code;
    }
    if (piece.is_empty()) piece.offset = offset;
    const char* const first = static_cast<const char*>(bytes);
    try {
      piece.bytes.insert(piece.bytes.end(), first, first + size);
    } catch (const std::bad_alloc&) {
      return SQLITE_NOMEM;
    }
    return SQLITE_OK;
  }
};

static_assert(alignof(File) <= 8 && sizeof(File) % 8 == 0, "SQLite places files at multiples of 8");

// "For commit records, the size of the database file in pages after the commit. For all other
// records, zero."
bool ends_a_commit(const char* header) {
  return std::any_of(header + 4, header + 8, [](char byte) { return byte != 0; });
}

using Below = FileLayer<File>;  // passes on

File* of(sqlite3_file* file) { return Below::of(file); }

int close(sqlite3_file* file) {
  File* const self = of(file);
  if (self->is_log()) self->database->log = nullptr;
  const int code = Below::close(file);
  self->~File();
  return code;
}

int read(sqlite3_file* file, void* bytes, int size, sqlite3_int64 offset) {
  File* const self = of(file);
  const bool is_held = offset < self->piece.end() && offset + size > self->piece.offset;
  if (is_held) {
    if (const int code = self->write_piece(); code != SQLITE_OK) return code;
  }
  return Below::read(file, bytes, size, offset);
}

int write_log(File* self, const void* bytes, int size, sqlite3_int64 offset) {
  Piece& piece = self->piece;
  const bool is_last_page = offset == piece.last_page_at;
  const bool is_last_header =
      size == kFrameHeaderBytes && ends_a_commit(static_cast<const char*>(bytes));
  // its page is there already
  const bool is_put_right = is_last_header && !piece.is_empty() && offset != piece.end();
  if (const int code = self->hold(bytes, size, offset); code != SQLITE_OK) return code;
  piece.last_page_at = is_last_header ? offset + size : -1;
  return is_last_page || is_put_right ? self->write_piece() : SQLITE_OK;
}

int write(sqlite3_file* file, const void* bytes, int size, sqlite3_int64 offset) {
  File* const self = of(file);
  if (self->is_log() && self->database->is_writing) return write_log(self, bytes, size, offset);
  if (!self->is_checkpointing) return Below::write(file, bytes, size, offset);
  const int code = self->hold(bytes, size, offset);
  if (code != SQLITE_OK) self->has_refused = true;
  return code;
}

// What is cut away is not written first: it may be a full disk that it is cut for.
int truncate(sqlite3_file* file, sqlite3_int64 size) {
  File* const self = of(file);
  Piece& piece = self->piece;
  if (!piece.is_empty()) {
    piece.bytes.resize(static_cast<std::size_t>(
        std::clamp<sqlite3_int64>(size, piece.offset, piece.end()) - piece.offset));
    if (const int code = self->write_piece(); code != SQLITE_OK) return code;
  }
  return Below::truncate(file, size);
}

int sync(sqlite3_file* file, int flags) {
  if (const int code = of(file)->write_piece(); code != SQLITE_OK) return code;
  return Below::sync(file, flags);
}

int file_size(sqlite3_file* file, sqlite3_int64* size) {
  if (const int code = of(file)->write_piece(); code != SQLITE_OK) return code;
  return Below::file_size(file, size);
}

int map_lock(sqlite3_file* file, int first, int n, int flags) {
  File* const self = of(file);
  const bool is_writers = first == kWriterLock && (flags & SQLITE_SHM_EXCLUSIVE) != 0;
  const bool ends = (flags & SQLITE_SHM_UNLOCK) != 0;
  if (is_writers && ends) {
    self->is_writing = false;
    if (self->log != nullptr) self->log->piece.drop();
  }
  const int code = Below::map_lock(file, first, n, flags);
  if (is_writers && !ends && code == SQLITE_OK) self->is_writing = true;
  return code;
}

// Called before a commit is published. Its last page was written, or the error told, by write();
// nobody could be told here.
void map_barrier(sqlite3_file* file) {
  File* const self = of(file);
  if (self->log != nullptr) {
    DL_CHECK(self->log->write_piece() == SQLITE_OK,
             "a commit is published when its log is written");
  }
  Below::map_barrier(file);
}

// Around the copying of a checkpoint. Behind its end SQLite tells all processes that the pages are
// in the database, and asks nobody before: what cannot be written by then must not be told. The log
// still has it all. A checkpoint that was told of an error before tells nobody anything.
int control(sqlite3_file* file, int what, void* argument) {
  File* const self = of(file);
  switch (what) {
    case kInPieces:
      self->checkpoints_in_pieces = *static_cast<const bool*>(argument);
      return SQLITE_OK;
    case SQLITE_FCNTL_CKPT_START: self->is_checkpointing = self->checkpoints_in_pieces; break;
    case SQLITE_FCNTL_CKPT_DONE:
      if (std::exchange(self->has_refused, false)) self->piece.drop();
      if (std::exchange(self->is_checkpointing, false) && self->write_piece() != SQLITE_OK) {
        std::fputs(
            "error: the disk did not take the last pages of a checkpoint. Nothing is lost: they "
            "are in the log beside the database\n",
            stderr);
        std::_Exit(kExitIoError);
      }
      break;
    default: break;
  }
  return Below::control(file, what, argument);
}

constexpr sqlite3_io_methods methods(int version) {
  sqlite3_io_methods all = Below::methods(version);
  all.xClose = close;
  all.xRead = read;
  all.xWrite = write;
  all.xTruncate = truncate;
  all.xSync = sync;
  all.xFileSize = file_size;
  all.xFileControl = control;
  all.xShmLock = map_lock;
  all.xShmBarrier = map_barrier;
  return all;
}
constexpr sqlite3_io_methods kMethods[] = {methods(1), methods(2), methods(3)};

bool is_ours(const sqlite3_file* file) {
  return std::any_of(std::begin(kMethods), std::end(kMethods),
                     [&](const auto& each) { return file->pMethods == &each; });
}

// A copy of the VFS below with another open(): its other functions look at nothing of what they are
// called with but what was copied (pAppData, mxPathname).
struct Layer : sqlite3_vfs {
  sqlite3_vfs* below = nullptr;
  std::string name;
};

int open(sqlite3_vfs* vfs, const char* path, sqlite3_file* file, int flags, int* flags_out) {
  File* const self = new (file) File;
  sqlite3_vfs* const below = static_cast<Layer*>(vfs)->below;
  self->under()->pMethods = nullptr;
  const int code = below->xOpen(below, path, self->under(), flags, flags_out);
  const sqlite3_io_methods* const can = self->under()->pMethods;
  if (can == nullptr) return code;  // ours are null, too: it will not be closed
  const int version = can->xShmMap == nullptr ? 1 : std::clamp(can->iVersion, 1, 3);
  self->base.pMethods = &kMethods[version - 1];
  if (code != SQLITE_OK || (flags & SQLITE_OPEN_WAL) == 0) return code;
  sqlite3_file* const database = sqlite3_database_file_object(path);
  // another layer lies between: hold nothing
  if (!is_ours(database) || of(database)->log != nullptr) return code;
  self->database = of(database);
  self->database->log = self;
  return code;
}

}  // namespace

const char* log_in_one_piece(const char* under) {
  // why: the list is the process's, as SQLite's own of its VFSs, and any thread may open a database
  static std::mutex mutex;
  // Never destroyed, never changed once it is registered: SQLite keeps their addresses, and so do
  // open connections.
  static std::list<Layer>& layers = *new std::list<Layer>;
  const std::lock_guard<std::mutex> lock(mutex);
  sqlite3_vfs* const below = sqlite3_vfs_find(under);
  if (below == nullptr || below->xOpen == open) return below == nullptr ? nullptr : below->zName;
  const std::string name = std::string(below->zName) + "-one-piece";
  const auto known = std::find_if(layers.rbegin(), layers.rend(),
                                  [&](const Layer& each) { return each.name == name; });
  if (known != layers.rend()) {
    if (known->below == below && known->pAppData == below->pAppData) return known->name.c_str();
    // another one than before has this name: tests make one after the other
    sqlite3_vfs_unregister(&*known);
  }
  Layer& layer = layers.emplace_back();
  static_cast<sqlite3_vfs&>(layer) = *below;
  layer.below = below;
  layer.name = name;
  layer.zName = layer.name.c_str();
  layer.szOsFile = below->szOsFile + static_cast<int>(sizeof(File));
  layer.xOpen = open;
  sqlite3_vfs_register(&layer, 0);
  return layer.name.c_str();
}

void checkpoint_in_pieces(sqlite3* db, bool on) {
  // another layer does not know it, and writes as ever
  sqlite3_file_control(db, "main", kInPieces, &on);
}

}  // namespace dl

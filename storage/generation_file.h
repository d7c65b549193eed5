// A number beside the database that only grows, and is in the database too: whether the tables may have
// forgotten requests. A backup that is put back, or a copy that is started elsewhere, knows nothing of the POSTs
// that left after it was taken, and would send them again.
//
// The number moves at every take-over, at a clean stop, and with a permit whenever the last move is a second
// old (Store): first in the database, in a transaction that happens anyway, then here, before the request
// leaves. So the database is never behind this file, and never more than one ahead, unless somebody has put
// another file in its place. Where a request leaves once a second or more rarely, each of them moves it; a faster
// daemon can lose sight of the last second before it died.
//
// The file also names itself (inode and time of birth): one that was copied or restored together with its
// database is not the one that was written. Snapshots of whole machines keep both and are outside the promise.
//
// Thread rule: one thread at a time. Ownership: the descriptor. The caller holds the instance lock.
#pragma once

#include <cstdint>
#include <string>

#include "storage/model/result.h"

namespace dl {

class GenerationFile {
 public:
  // Opens `<database_path>.generation`, or makes an empty one. Errors: io, no_permission, cant_create.
  static Result<GenerationFile> open(const std::string& database_path);

  GenerationFile(GenerationFile&& other) noexcept;
  GenerationFile(const GenerationFile&) = delete;
  ~GenerationFile();

  // Why the database with this id and generation may have forgotten requests, in words for the operator.
  // Empty: it has not. Generation 1 is a database that no daemon has ever sent from.
  std::string distrust(const std::string& database_id, std::int64_t generation) const;

  // What the file said when it was opened or last written; 0: nothing.
  std::int64_t generation() const { return generation_; }

  // On the disk when it returns. Errors: io.
  Status write(const std::string& database_id, std::int64_t generation);

 private:
  GenerationFile(std::string path, int fd) : path_(std::move(path)), fd_(fd) {}
  Status read();

  std::string path_;
  int fd_ = -1;
  std::string itself_;        // inode and birth of the file that is open
  bool is_empty_ = true;
  bool is_readable_ = false;  // the fields below are what it says
  std::string says_itself_;
  std::string database_id_;
  std::int64_t generation_ = 0;
};

}  // namespace dl

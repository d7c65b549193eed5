// Beside the database: how far it has been sent from. Whether the tables may have forgotten
// requests hangs on it. A backup that is put back, or a copy that is started elsewhere, knows
// nothing of the POSTs that left after it was taken, and would send them again.
//
// It holds two things. A number that only grows and is in the database too: it moves at every
// take-over and at a clean stop, first in the database, then here. So the database is never behind
// this file, and never more than one ahead, unless somebody has put another file in its place. And
// the last request that was permitted: it is written here when its intent is committed and before
// it leaves. A database that was taken before any request is therefore told from the one that was
// sent from: it does not know that request.
//
// When a request is noted the file is synced at most ten times a second; a process that dies loses
// nothing of what was not. So only where the machine itself loses its power is there a gap: of the
// last tenth of a second, and only at more than ten permits a second.
//
// The file also names itself (inode and time of birth): one that was copied or restored together
// with its database is not the one that was written. Snapshots of whole machines keep both and are
// outside the promise.
//
// Thread rule: one thread at a time. Ownership: the descriptor. The caller holds the instance lock.
#pragma once

#include <cstdint>
#include <string>

#include "storage/model/ids.h"
#include "storage/model/moment.h"
#include "storage/model/result.h"

namespace dl {

// A row of the ledger that no other database has under its id.
struct LastSent {
  RequestId request;       // none: nothing was sent since the file was made
  std::int64_t at_ms = 0;  // request.sent_at
  std::string instance;    // the uuid of the daemon that sent it
  friend bool operator==(const LastSent&, const LastSent&) = default;
};

class GenerationFile {
 public:
  // Opens `<database_path>.generation`, or makes an empty one. Errors: io, no_permission,
  // cant_create.
  static Result<GenerationFile> open(const std::string& database_path);

  GenerationFile(GenerationFile&& other) noexcept;
  GenerationFile(const GenerationFile&) = delete;
  ~GenerationFile();

  // Why the database with this id and generation may have forgotten requests, in words for the
  // operator. Empty: by these it has not. Generation 1 is a database that no daemon has ever sent
  // from.
  std::string distrust(const std::string& database_id, std::int64_t generation) const;

  // What the file said when it was opened or last written; 0 and none: nothing.
  std::int64_t generation() const { return generation_; }
  const LastSent& last_sent() const { return last_sent_; }

  // On the disk when it returns. Errors: io.
  Status write(const std::string& database_id, std::int64_t generation, const LastSent& last_sent);
  // Visible to every process when it returns; on the disk too, where the last sync is a tenth of a
  // second old.
  Status note(const LastSent& last_sent, Moment now);
  // Syncs what was noted and is not on the disk, where the last sync is that old.
  Status settle(Moment now);
  // The last write found no room: nothing was written, and the same call may be made again. After
  // any other Error it may not.
  bool lacks_room() const { return lacks_room_; }

 private:
  GenerationFile(std::string path, int fd) : path_(std::move(path)), fd_(fd) {}
  Status read();
  Status put(const std::string& database_id, std::int64_t generation, const LastSent& last_sent);
  Status sync();

  std::string path_;
  int fd_ = -1;
  std::string itself_;  // inode and birth of the file that is open
  bool is_empty_ = true;
  bool is_readable_ = false;  // the fields below are what it says
  std::string says_itself_;
  std::string database_id_;
  std::int64_t generation_ = 0;
  LastSent last_sent_;
  bool is_synced_ = true;
  bool lacks_room_ = false;
  std::int64_t synced_boot_ms_ = 0;
};

}  // namespace dl

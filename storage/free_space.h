// The way back to the file system for pages that nothing uses any more.
// Thread rule: as the Database.
#pragma once

#include <cstdint>

#include "storage/database.h"

namespace dl {

struct FreeSpace {
  std::int64_t given_back_bytes = 0;
  std::int64_t left_bytes = 0;  // used again by what is loaded next; in a file that was made before
                                // incremental vacuum only VACUUM shortens it
};

// A few pages at a time, with room for the daemon between them. Errors: SQLite's.
Result<FreeSpace> give_space_back(Database& database);

}  // namespace dl

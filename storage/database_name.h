// The one name of a database. SQLite's log, the locks and the generation file lie beside it under
// that name. Known to two programs by two names it would have two of each, and two daemons would
// send for it. Pure, but for what the file system says. Any thread.
#pragma once

#include <string>

#include "storage/model/result.h"

namespace dl {

// For who writes: `path`, or where it is a symbolic link what that leads to in the end, whether
// there is a file or not. Links among its folders are left as they are: they lead all names to the
// same folder. Errors: config (the file has a second name of its own, a hard link), no_input (links
// that lead in a circle).
Result<std::string> name_of_database(const std::string& path);

}  // namespace dl

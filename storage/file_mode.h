// Who may look into a database file, by its mode.
// Thread rule: any thread; opens nothing, for closing a descriptor of a database would drop
// SQLite's locks.
#pragma once

#include <optional>
#include <string>

namespace dl {

// What to say, and to do, where everybody on this machine may read or change it. Our programs make
// it the group's alone; a copy or a backup that was put back has the mode that somebody's umask
// gave it.
std::optional<std::string> warning_of_mode(const std::string& path);

}  // namespace dl

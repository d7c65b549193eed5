#include "storage/database_name.h"

#include <sys/stat.h>

#include <filesystem>
#include <system_error>

namespace dl {
namespace {

constexpr int kLinksFollowed = 40;  // as the kernel

// Who opens it says what else is wrong with it.
Status refuse_second_name(const std::string& name) {
  struct stat info {};
  if (stat(name.c_str(), &info) != 0 || !S_ISREG(info.st_mode) || info.st_nlink < 2) return Done{};
  return Error{Errc::config,
               name + ": has " + std::to_string(info.st_nlink) +
                   " names (hard links), and under each of them it would have another lock "
                   "and another log, so that two daemons could send for it; delete all but this "
                   "one (find / -samefile " +
                   name + ")"};
}

}  // namespace

Result<std::string> name_of_database(const std::string& path) {
  std::filesystem::path name = path;
  for (int followed = 0; followed < kLinksFollowed; ++followed) {
    std::error_code is_no_link;
    const std::filesystem::path target = std::filesystem::read_symlink(name, is_no_link);
    if (is_no_link) {
      if (Status ok = refuse_second_name(name); !ok) return ok.error();
      return name.string();
    }
    name = name.parent_path() / target;
  }
  return Error{Errc::no_input, path + ": its symbolic links lead in a circle"};
}

}  // namespace dl

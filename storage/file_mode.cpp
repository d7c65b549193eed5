#include "storage/file_mode.h"

#include <sys/stat.h>

namespace dl {

std::optional<std::string> warning_of_mode(const std::string& path) {
  struct stat info {};
  if (stat(path.c_str(), &info) != 0 || (info.st_mode & (S_IROTH | S_IWOTH)) == 0)
    return std::nullopt;
  const std::string may = (info.st_mode & S_IWOTH) != 0 ? "change" : "read";
  return path + ": everybody on this machine may " + may +
         " it, for that is its mode; chmod o= " + path + "*";
}

}  // namespace dl

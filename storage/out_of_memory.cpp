#include "storage/out_of_memory.h"

#include <sys/uio.h>
#include <unistd.h>

#include <array>
#include <cstdlib>
#include <cstring>
#include <new>

#include "storage/model/result.h"

namespace dl {
namespace {

const char* g_program = "";

[[noreturn]] void end() {
  // In one piece, or a line of another thread's log comes between; and nothing is allocated.
  const auto part = [](const char* text) {
    return iovec{const_cast<char*>(text), std::strlen(text)};
  };
  const std::array parts = {part(g_program),
                            part(": out of memory: cannot go on; what was committed stays\n")};
  const ssize_t written = ::writev(STDERR_FILENO, parts.data(), static_cast<int>(parts.size()));
  static_cast<void>(written);  // there is nobody else to tell
  std::_Exit(static_cast<int>(Errc::io));
}

}  // namespace

void end_where_memory_ends(const char* program) {
  g_program = program;
  std::set_new_handler(end);
}

}  // namespace dl

#include "storage/out_of_memory.h"

#include <cstdio>
#include <cstdlib>
#include <new>

#include "storage/model/result.h"

namespace dl {
namespace {

const char* g_program = "";

[[noreturn]] void end() {
  // stderr has no buffer, so this allocates nothing.
  for (const char* const part :
       {g_program, ": out of memory: cannot go on; what was committed stays\n"})
    std::fputs(part, stderr);
  std::_Exit(static_cast<int>(Errc::io));
}

}  // namespace

void end_where_memory_ends(const char* program) {
  g_program = program;
  std::set_new_handler(end);
}

}  // namespace dl

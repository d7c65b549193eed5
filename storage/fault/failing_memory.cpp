#include "storage/fault/failing_memory.h"

#include <sqlite3.h>

#include <algorithm>
#include <cstdlib>
#include <new>

#include "storage/fault/fault_point.h"

namespace dl::fault {
namespace {

sqlite3_mem_methods g_system;

void* allocate(int size) {
  return fails_allocation("alloc.sqlite") ? nullptr : g_system.xMalloc(size);
}
void* reallocate(void* old, int size) {
  return fails_allocation("alloc.sqlite") ? nullptr : g_system.xRealloc(old, size);
}

}  // namespace

void install_failing_memory() {
  sqlite3_config(SQLITE_CONFIG_GETMALLOC, &g_system);
  sqlite3_mem_methods layer = g_system;
  layer.xMalloc = allocate;
  layer.xRealloc = reallocate;
  sqlite3_config(SQLITE_CONFIG_MALLOC, &layer);
}

}  // namespace dl::fault

// As the library's own, but for the fault.
void* operator new(std::size_t size) {
  while (true) {
    if (!dl::fault::fails_allocation("alloc.new")) {
      if (void* const memory = std::malloc(std::max<std::size_t>(size, 1))) return memory;
    }
    const std::new_handler handler = std::get_new_handler();
    if (handler == nullptr) throw std::bad_alloc();
    handler();
  }
}
void operator delete(void* memory) noexcept { std::free(memory); }
void operator delete(void* memory, std::size_t) noexcept { std::free(memory); }

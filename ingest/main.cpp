// dl-ingest: sheets in, results out. See dl-ingest --help.
#include <malloc.h>
#include <sqlite3.h>
#include <sys/stat.h>
#include <unistd.h>

#include <csignal>
#include <cstdio>
#include <exception>

#include "ingest/commands.h"
#include "storage/fault/fault_point.h"

namespace {

constexpr int kMemoryKept = 8 * 1024 * 1024;
constexpr int kMemoryAtOnce = 1024 * 1024;

}  // namespace

int main(int argc, char** argv) {
  umask(0007);               // the database is the group's, and nobody else's
  signal(SIGXFSZ, SIG_IGN);  // a file size limit is an error of the write, not a death
  // Rows come and go by the thousand: memory that is given back to the system at once is asked for again at once.
  mallopt(M_TRIM_THRESHOLD, kMemoryKept);
  mallopt(M_TOP_PAD, kMemoryAtOnce);
  // Nobody asks for SQLite's memory statistics, and they take a lock at each allocation.
  sqlite3_config(SQLITE_CONFIG_MEMSTATUS, 0);
  DL_FAULT_START();
  try {
    auto parsed = dl::parse_options(argc, argv, dl::read_environment(environ));
    if (const auto* farewell = std::get_if<dl::Farewell>(&parsed)) {
      std::fputs(farewell->out.c_str(), stdout);
      std::fputs(farewell->err.c_str(), stderr);
      return farewell->exit_code;
    }
    return dl::run(std::get<dl::Options>(parsed));
  } catch (const std::exception& bug) {
    std::fprintf(stderr, "dl-ingest: bug: %s\n", bug.what());
    return static_cast<int>(dl::Errc::software);
  }
}

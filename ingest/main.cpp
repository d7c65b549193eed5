// dl-ingest: sheets in, results out. See dl-ingest --help.
#include <malloc.h>
#include <sqlite3.h>
#include <sys/stat.h>
#include <unistd.h>

#include <cerrno>
#include <csignal>
#include <cstdio>
#include <cstring>
#include <exception>
#include <system_error>

#include "ingest/commands.h"
#include "storage/fault/fault_point.h"
#include "storage/out_of_memory.h"

namespace {

constexpr int kMemoryKept = 8 * 1024 * 1024;
constexpr int kMemoryAtOnce = 1024 * 1024;

// What was printed has to arrive: a script may go on by the exit code alone.
int end(int exit_code) {
  const bool is_flushed = std::fflush(stdout) == 0;
  // of an earlier write the reason is not known any more
  const int error = is_flushed ? EIO : errno;
  if (is_flushed && std::ferror(stdout) == 0) return exit_code;
  if (exit_code > static_cast<int>(dl::Errc::incomplete)) return exit_code;  // it has said why
  return dl::complain({dl::Errc::io, std::string("stdout: writing: ") + std::strerror(error)});
}

}  // namespace

int main(int argc, char** argv) {
  dl::end_where_memory_ends("dl-ingest");
  umask(0007);               // the database is the group's, and nobody else's
  signal(SIGXFSZ, SIG_IGN);  // a file size limit is an error of the write, not a death
  // Rows come and go by the thousand: memory that is given back to the system at once is asked for
  // again at once.
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
      return end(farewell->exit_code);
    }
    return end(dl::run(std::get<dl::Options>(parsed)));
  } catch (const std::system_error& lack) {  // of threads
    return dl::complain({dl::Errc::io, std::string("cannot go on: ") + lack.what()});
  } catch (const std::exception& bug) {
    std::fprintf(stderr, "dl-ingest: bug: %s\n", bug.what());
    return static_cast<int>(dl::Errc::software);
  }
}

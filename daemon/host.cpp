#include "daemon/host.h"

#include <limits.h>
#include <sys/resource.h>
#include <unistd.h>

#include <algorithm>
#include <array>
#include <boost/uuid/random_generator.hpp>
#include <boost/uuid/uuid_io.hpp>
#include <cstdlib>
#include <fstream>

namespace dl {
namespace {

std::string random_uuid() { return boost::uuids::to_string(boost::uuids::random_generator{}()); }

std::string first_line(const char* path) {
  std::ifstream file(path);
  std::string line;
  std::getline(file, line);
  return line;
}

std::string machine_id() {
  const std::string id = first_line("/etc/machine-id");
  return id.empty() ? "unknown" : id;
}

}  // namespace

std::string boot_key() {
  const char* given = std::getenv("DL_BOOT_ID");
  std::string boot = given != nullptr ? given : first_line("/proc/sys/kernel/random/boot_id");
  boot.erase(std::remove(boot.begin(), boot.end(), '-'), boot.end());
  if (boot.empty()) return "unknown-" + random_uuid();
  std::array<char, 64> space{};
  const ssize_t n = readlink("/proc/self/ns/time", space.data(), space.size() - 1);
  return boot + "/" +
         (n > 0 ? std::string(space.data(), static_cast<std::size_t>(n)) : "no-time-ns");
}

std::int64_t allow_open_files(std::int64_t wanted) {
  rlimit files{};
  if (getrlimit(RLIMIT_NOFILE, &files) != 0) return wanted;
  if (files.rlim_cur >= static_cast<rlim_t>(wanted)) return wanted;
  rlimit more = files;
  more.rlim_cur = std::min(static_cast<rlim_t>(wanted), files.rlim_max);
  if (setrlimit(RLIMIT_NOFILE, &more) == 0) files = more;
  return static_cast<std::int64_t>(files.rlim_cur);
}

InstanceFacts instance_facts(const std::string& version) {
  std::array<char, HOST_NAME_MAX + 1> host{};
  gethostname(host.data(), host.size() - 1);
  InstanceFacts facts;
  facts.uuid = random_uuid();
  facts.pid = getpid();
  facts.host = host.data();
  facts.version = version;
  facts.boot_key = boot_key();
  facts.machine_id = machine_id();
  return facts;
}

}  // namespace dl

// What dl-daemon says of itself.
// Pure; callable from any thread.
#pragma once

#include <string>

namespace dl {

std::string daemon_version_text();  // of --version

}  // namespace dl

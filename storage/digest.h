// SHA-256 by OpenSSL. Pure; callable from any thread.
#pragma once

#include <array>
#include <string>
#include <string_view>

namespace dl {

using Sha256 = std::array<unsigned char, 32>;

Sha256 sha256(std::string_view bytes);
std::string hex(const Sha256& digest);

}  // namespace dl

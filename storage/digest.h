// SHA-256 by OpenSSL. Pure; callable from any thread.
#pragma once

#include <array>
#include <cstdint>
#include <string>
#include <string_view>

namespace dl {

using Sha256 = std::array<unsigned char, 32>;

Sha256 sha256(std::string_view bytes);
std::string hex(const Sha256& digest);

// Its first 8 bytes, big-endian: for a column that every request pays for. Shows a change; keeps
// nobody from making one that fits.
std::int64_t short_digest(std::string_view bytes);

}  // namespace dl

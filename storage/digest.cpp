#include "storage/digest.h"

#include <openssl/evp.h>

#include "storage/model/check.h"

namespace dl {

Sha256 sha256(std::string_view bytes) {
  Sha256 digest{};
  unsigned int size = 0;
  // Fetched once: EVP_sha256() is looked up under locks at every call. Never freed.
  static const EVP_MD* const kind = EVP_MD_fetch(nullptr, "SHA256", nullptr);
  const int ok = EVP_Digest(bytes.data(), bytes.size(), digest.data(), &size, kind, nullptr);
  DL_CHECK(ok == 1 && size == digest.size(), "OpenSSL has no SHA-256");
  return digest;
}

std::string hex(const Sha256& digest) {
  constexpr std::string_view kDigits = "0123456789abcdef";
  std::string text;
  text.reserve(digest.size() * 2);
  for (const unsigned char byte : digest) {
    text += kDigits[byte >> 4];
    text += kDigits[byte & 15];
  }
  return text;
}

}  // namespace dl

#include "storage/digest.h"

#include <openssl/evp.h>

#include <memory>

#include "storage/model/check.h"

namespace dl {

Sha256 sha256(std::string_view bytes) {
  Sha256 digest{};
  unsigned int size = 0;
  // Fetched once: EVP_sha256() is looked up under locks at every call. Never freed.
  static const EVP_MD* const kind = EVP_MD_fetch(nullptr, "SHA256", nullptr);
  // And a context a thread: making one costs as much as the digest of a payload.
  thread_local const std::unique_ptr<EVP_MD_CTX, decltype(&EVP_MD_CTX_free)> context(
      EVP_MD_CTX_new(), EVP_MD_CTX_free);
  const bool ok = EVP_DigestInit_ex2(context.get(), kind, nullptr) == 1 &&
                  EVP_DigestUpdate(context.get(), bytes.data(), bytes.size()) == 1 &&
                  EVP_DigestFinal_ex(context.get(), digest.data(), &size) == 1;
  DL_CHECK(ok && size == digest.size(), "OpenSSL has no SHA-256");
  return digest;
}

std::int64_t short_digest(std::string_view bytes) {
  const Sha256 digest = sha256(bytes);
  std::uint64_t number = 0;
  for (std::size_t i = 0; i < sizeof number; ++i) number = number << 8 | digest[i];
  return static_cast<std::int64_t>(number);
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

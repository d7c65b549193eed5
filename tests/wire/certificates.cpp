#include "tests/wire/certificates.h"

#include <openssl/evp.h>
#include <openssl/pem.h>
#include <openssl/x509v3.h>
#include <unistd.h>

#include <cstdio>
#include <filesystem>

#include "storage/model/check.h"

namespace dl::wire_test {
namespace {

struct Free {
  void operator()(EVP_PKEY* key) const { EVP_PKEY_free(key); }
  void operator()(X509* certificate) const { X509_free(certificate); }
};
using Key = std::unique_ptr<EVP_PKEY, Free>;
using Certificate = std::unique_ptr<X509, Free>;

constexpr long kDay = 24 * 60 * 60;

Key make_key() { return Key(EVP_EC_gen("P-256")); }

void add_extension(X509* certificate, X509* issuer, int nid, const char* value) {
  X509V3_CTX context;
  X509V3_set_ctx(&context, issuer, certificate, nullptr, nullptr, 0);
  X509_EXTENSION* extension = X509V3_EXT_conf_nid(nullptr, &context, nid, value);
  DL_CHECK(extension != nullptr, "the extension is well-formed");
  X509_add_ext(certificate, extension, -1);
  X509_EXTENSION_free(extension);
}

// `issuer`: nullptr: signed by itself. `names`: empty: an authority.
Certificate make_certificate(EVP_PKEY* key, X509* issuer, EVP_PKEY* issuer_key,
                             const std::string& names, long valid_for_s) {
  static long serial = 1;
  Certificate certificate(X509_new());
  X509_set_version(certificate.get(), X509_VERSION_3);
  ASN1_INTEGER_set(X509_get_serialNumber(certificate.get()), serial++);
  X509_gmtime_adj(X509_getm_notBefore(certificate.get()), -2 * kDay);
  X509_gmtime_adj(X509_getm_notAfter(certificate.get()), valid_for_s);
  X509_set_pubkey(certificate.get(), key);
  const std::string name = names.empty() ? "test authority" : "test server";
  X509_NAME_add_entry_by_txt(X509_get_subject_name(certificate.get()), "CN", MBSTRING_ASC,
                             reinterpret_cast<const unsigned char*>(name.c_str()), -1, -1, 0);
  X509* const signer = issuer == nullptr ? certificate.get() : issuer;
  X509_set_issuer_name(certificate.get(), X509_get_subject_name(signer));
  if (names.empty()) {
    add_extension(certificate.get(), signer, NID_basic_constraints, "critical,CA:TRUE");
  } else {
    add_extension(certificate.get(), signer, NID_subject_alt_name, names.c_str());
  }
  X509_sign(certificate.get(), issuer_key, EVP_sha256());
  return certificate;
}

SslContext make_server(const Key& key, const Certificate& certificate) {
  SslContext context(SSL_CTX_new(TLS_server_method()));
  DL_CHECK(SSL_CTX_use_certificate(context.get(), certificate.get()) == 1, "certificate is used");
  DL_CHECK(SSL_CTX_use_PrivateKey(context.get(), key.get()) == 1, "key fits the certificate");
  return context;
}

}  // namespace

struct Authority::Parts {
  Key key = make_key();
  Certificate certificate = make_certificate(key.get(), nullptr, key.get(), "", 10 * kDay);

  SslContext server(const std::string& names, long valid_for_s) const {
    const Key own = make_key();
    return make_server(
        own, make_certificate(own.get(), certificate.get(), key.get(), names, valid_for_s));
  }
};

Authority::Authority() : parts_(std::make_unique<Parts>()) {
  static int count = 0;
  file_ = std::filesystem::temp_directory_path() /
          ("dl-authority-" + std::to_string(getpid()) + "-" + std::to_string(count++) + ".pem");
  std::FILE* file = std::fopen(file_.c_str(), "w");
  DL_CHECK(file != nullptr, "the temporary folder can be written");
  PEM_write_X509(file, parts_->certificate.get());
  std::fclose(file);
}
Authority::~Authority() { std::filesystem::remove(file_); }

SslContext Authority::server_for(const std::string& names) const {
  return parts_->server(names, kDay);
}
SslContext Authority::expired_server_for(const std::string& names) const {
  return parts_->server(names, -kDay);
}

SslContext self_signed_server_for(const std::string& names) {
  const Key key = make_key();
  return make_server(key, make_certificate(key.get(), nullptr, key.get(), names, kDay));
}

}  // namespace dl::wire_test

// What makes TLS mean something: OpenSSL verifies nothing until it is told. Plain OpenSSL, no
// sockets. Thread rule: a context belongs to one worker thread.
#pragma once

#include <openssl/ssl.h>

#include <memory>
#include <string>

#include "storage/model/result.h"

namespace dl {

struct FreeSslContext {
  void operator()(SSL_CTX* context) const { SSL_CTX_free(context); }
};
using SslContext = std::unique_ptr<SSL_CTX, FreeSslContext>;

// A client's context: the peer's certificate is required, TLS 1.2 or newer, no renegotiation, no
// session is kept (so no early data, which can be replayed). `ca_file`: PEM; empty: the system's
// authorities. Errors: config.
Result<SslContext> make_tls_context(const std::string& ca_file);

// Tells `ssl` whom it must meet: the certificate must name `host` (a name or an address), and a
// name is sent along (SNI). Returns false only when out of memory.
bool expect_host(SSL* ssl, const std::string& host);

// Why the certificate was refused, in words; empty where it was not.
std::string certificate_trouble(const SSL* ssl);

// Whether an error of OpenSSL (ERR_get_error), in place of the first answer, is the peer's alert
// that it refuses us: our certificate is missing, bad or unknown, or access is denied. Under
// TLS 1.3 that comes after our side of the handshake is done (RFC 8446, 4.4.2.4). Under TLS 1.2 the
// peer had agreed by then, so no alert says why it does not answer.
bool refuses_us(const SSL* ssl, int ssl_error);

}  // namespace dl

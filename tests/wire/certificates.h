// Certificates made at test time: an authority, and server contexts whose certificate it has
// signed.
#pragma once

#include <openssl/ssl.h>

#include <memory>
#include <string>

#include "daemon/dsp/tls.h"

namespace dl::wire_test {

class Authority {
 public:
  Authority();
  ~Authority();
  Authority(const Authority&) = delete;
  Authority& operator=(const Authority&) = delete;

  // The authority's own certificate in PEM; removed with the authority.
  const std::string& file() const { return file_; }

  // A server with a certificate for `names`, as in "DNS:localhost,IP:127.0.0.1".
  SslContext server_for(const std::string& names) const;
  // The same, but already expired.
  SslContext expired_server_for(const std::string& names) const;

 private:
  struct Parts;
  std::unique_ptr<Parts> parts_;
  std::string file_;
};

// A server whose certificate nobody has signed but itself.
SslContext self_signed_server_for(const std::string& names);

}  // namespace dl::wire_test

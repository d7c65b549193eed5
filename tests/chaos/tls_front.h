// TLS before the mock DSP, which speaks plain HTTP: ends the TLS of each connection and passes on
// what comes, both ways, and how each side ends (a FIN as a FIN, a reset as a reset), so that the
// mock sees of the daemon what it would see without.
//
// Thread rule: threads of its own, one and one more a connection; they share nothing but what never
// changes. Ownership: borrows the context; its sockets are its own. Destroy it once the programs on
// both sides have ended.
#pragma once

#include <openssl/ssl.h>

#include <thread>

namespace dl::chaos {

class TlsFront {
 public:
  // `context`: a server's; `port`: of this machine, where the mock listens.
  TlsFront(SSL_CTX* context, int port);
  ~TlsFront();
  TlsFront(const TlsFront&) = delete;
  TlsFront& operator=(const TlsFront&) = delete;

  int port() const { return port_; }

 private:
  void serve() const;

  SSL_CTX* context_;
  int mock_port_;
  int listener_;
  int port_;
  std::thread thread_;
};

}  // namespace dl::chaos

// A server made of plain POSIX sockets that does to a client whatever a script says, byte by byte.
// It serves one connection after the other on its own thread, on a free port of 127.0.0.1. Every
// wait ends when the client goes, so that a test ends once its client is destroyed: declare the
// server before the client.
#pragma once

#include <openssl/ssl.h>

#include <atomic>
#include <condition_variable>
#include <deque>
#include <functional>
#include <mutex>
#include <string>
#include <string_view>
#include <thread>

namespace dl::wire_test {

// The accepted connection, seen from the script.
class Peer {
 public:
  Peer(int socket, SSL* ssl) : socket_(socket), ssl_(ssl) {}
  ~Peer();
  Peer(const Peer&) = delete;
  Peer& operator=(const Peer&) = delete;

  // One whole request, head and body by its Content-Length. Empty: the client went first.
  std::string read_request();
  std::string read_head();
  // Everything until the client goes: a second request that nobody asked for would be in it.
  std::string read_to_end();
  // the last read, of a plain connection: by an RST
  bool ended_by_reset() const { return ended_by_reset_; }
  void write(std::string_view bytes);
  // Below TLS: bytes as they are on the wire.
  std::string read_some();
  void write_raw(std::string_view bytes);
  // Waits until the client has gone, reading nothing; at most so long. Returns true if it has.
  bool wait_for_hangup(int at_most_ms);
  void close();
  void reset();  // an RST instead of a FIN

 private:
  bool read_more();

  int socket_;
  SSL* ssl_;  // owned; nullptr: plain
  std::string unread_;
  bool ended_by_reset_ = false;
};

// What a script has seen, handed over to the test.
class Transcript {
 public:
  void add(std::string text);
  std::string next();  // waits for it, in the order of add()

 private:
  std::mutex mutex_;  // between the server's thread and the test's
  std::condition_variable added_;
  std::deque<std::string> texts_;
};

class ScriptedServer {
 public:
  using Script = std::function<void(Peer&)>;
  // `tls`: borrowed; nullptr: plain. The script runs once for each connection.
  explicit ScriptedServer(Script script, SSL_CTX* tls = nullptr);
  ~ScriptedServer();
  ScriptedServer(const ScriptedServer&) = delete;
  ScriptedServer& operator=(const ScriptedServer&) = delete;

  int port() const { return port_; }
  int connections() const { return connections_; }

 private:
  void serve();

  Script script_;
  SSL_CTX* tls_;
  int listener_ = -1;
  int port_ = 0;
  std::atomic<int> connections_ = 0;
  std::thread thread_;
};

// "HTTP/1.1 <status>" with a JSON body, its length and, where given, more headers ("A: b\r\n").
std::string json_answer(std::string_view status, std::string_view body,
                        std::string_view headers = "");
// A created campaign's.
inline const std::string kCreated = json_answer("201 Created", R"({"campaign_id":"c-1"})");

}  // namespace dl::wire_test

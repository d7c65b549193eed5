// A connection to the DSP, from connecting to gone, with at most one request on it. One coroutine
// reads for as long as the connection lives, so that its end or stray bytes are noticed while it is
// idle; a request is written beside it. Asio's sockets and its TLS come in by this header alone;
// what daemon.cpp and store_thread.cpp take of it is an event loop and timers.
//
// Thread rule: lives on its hand's io_context; every function runs there. Ownership: the hand's map
// holds it until cut(), and what is under way (reading, writing, the timer) holds it until that has
// completed.
#pragma once

#include <boost/asio.hpp>
#include <boost/asio/ssl.hpp>
#include <chrono>
#include <functional>
#include <memory>
#include <optional>
#include <string>

#include "daemon/dsp/answer_reader.h"
#include "daemon/dsp/secret.h"
#include "daemon/dsp/worker_pool.h"

namespace dl {

// What a connection needs of its hand, which outlives it.
struct Hand {
  const WirePolicy& policy;
  const WireEvents& events;
  boost::asio::io_context io{1};
  std::optional<boost::asio::ssl::context> tls;  // none: plain, or tls_trouble says why not
  std::string tls_trouble;
  // of the DSP's addresses, by the last connection that was made
  boost::asio::ip::tcp::endpoint reached{};
  int names_awaited = 0;  // of the resolver; some perhaps for connections that are gone
  std::function<void(ConnectionId)> forget;  // the connection is gone

  void make_tls();  // or says in tls_trouble why not
};

class Connection : public std::enable_shared_from_this<Connection> {
 public:
  Connection(Hand& hand, ConnectionId id);
  ~Connection() { Secret::wipe(out_); }
  Connection(const Connection&) = delete;
  Connection& operator=(const Connection&) = delete;

  // The three below keep the promises of WorkerPool. start() is called once, first.
  void start();
  void send(DspRequest request);
  void close();
  // Ends the connection without an event; what is under way then finds it gone and does nothing.
  void cut();

 private:
  enum class Stage { connecting, idle, busy, gone };
  using Error = boost::system::error_code;

  // Connecting. The strings say what went wrong; empty: nothing.
  boost::asio::awaitable<void> live();
  boost::asio::awaitable<std::string> open();
  boost::asio::awaitable<std::string> shake_hands();
  boost::asio::awaitable<Error> connect_to(
      const boost::asio::ip::tcp::resolver::results_type& addresses);
  boost::asio::awaitable<Error> connect_within(std::chrono::steady_clock::duration share,
                                               const boost::asio::ip::tcp::endpoint& address);
  void fail(std::string trouble, ConnectTrouble what);

  // Sending.
  std::string idle_trouble();
  void write();
  void on_written(Error error, std::size_t size);

  // The answer.
  boost::asio::awaitable<Error> read_some();
  void on_bytes();
  void on_end(Error error);
  void on_progress(AnswerReader::Progress progress);
  void unanswered(std::string trouble);
  void finish(DspReply reply, bool reusable);

  void set_deadline(std::chrono::milliseconds span);
  void wait_for_deadline();
  void on_deadline();

  Hand& hand_;
  const ConnectionId id_;
  Stage stage_ = Stage::connecting;
  boost::asio::ip::tcp::socket socket_;
  std::optional<boost::asio::ssl::stream<boost::asio::ip::tcp::socket&>> tls_;  // none: plain
  boost::asio::ip::tcp::resolver resolver_;
  boost::asio::steady_timer timer_;
  int address_tried_ = 0;  // of several; which one a timer that ends it was set for
  ConnectTrouble connect_trouble_ = ConnectTrouble::dsp;
  bool timer_runs_ = false;
  std::chrono::steady_clock::time_point deadline_;
  Secret token_;

  RequestId request_;  // the one on the wire, while busy
  Purpose purpose_ = Purpose::status;
  JobKind kind_ = JobKind::campaign;
  bool is_first_ = true;
  bool is_writing_ = false;
  std::optional<Error> end_;  // of the DSP's side, come while we were writing
  bool close_after_reply_ = false;
  std::string write_trouble_;
  std::size_t head_bytes_ = 0;  // of out_, in front of the body
  NotTaken not_taken_ = NotTaken::no_proof;
  std::chrono::steady_clock::time_point sent_at_;
  std::string out_;
  AnswerReader in_;
};

}  // namespace dl

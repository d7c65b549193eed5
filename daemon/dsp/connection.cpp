#include "daemon/dsp/connection.h"

#include <sys/socket.h>

#include <algorithm>
#include <boost/asio/experimental/as_tuple.hpp>
#include <tuple>

#include "daemon/dsp/connect_trouble.h"
#include "daemon/dsp/request_text.h"
#include "daemon/dsp/tls.h"
#include "storage/fault/fault_point.h"
#include "storage/model/check.h"

namespace dl {
namespace {

namespace asio = boost::asio;
using asio::ip::tcp;
using boost::system::error_code;
using Steady = std::chrono::steady_clock;

// How long an early answer (413 and the like) is looked for once writing has failed.
constexpr std::chrono::milliseconds kEarlyAnswerWait{1000};
// So late a deadline is seen only where we were stopped (SIGSTOP, a freezer).
constexpr std::chrono::milliseconds kStoodStill{1000};

constexpr auto kAwait = asio::experimental::as_tuple(asio::use_awaitable);

std::string in_words(std::chrono::milliseconds span) {
  if (span.count() % 1000 == 0) return std::to_string(span.count() / 1000) + " s";
  return std::to_string(span.count()) + " ms";
}

DspReply not_sent(std::string trouble) {
  DspReply reply;
  reply.wire = Wire::not_sent;
  reply.trouble = std::move(trouble);
  return reply;
}

// Empties `out` for a request with such a body. It may hold the token: where it must grow, the
// smaller memory is overwritten before it is given back.
void make_room(std::string& out, std::size_t body_bytes) {
  constexpr std::size_t kHeadBytes = 2048;  // generous; a longer head is sent just as well
  out.clear();
  if (out.capacity() >= kHeadBytes + body_bytes) return;
  Secret::wipe(out);
  out.reserve(kHeadBytes + body_bytes);
}

}  // namespace

Connection::Connection(Hand& hand, ConnectionId id)
    : hand_(hand), id_(id), socket_(hand.io), resolver_(hand.io), timer_(hand.io) {}

asio::awaitable<void> Connection::live() {
  std::string trouble = co_await open();
  if (stage_ == Stage::gone) co_return;
  if (!trouble.empty()) {
    fail(std::move(trouble), connect_trouble_);
    co_return;
  }
  stage_ = Stage::idle;
  hand_.events.connected(id_);
  while (stage_ != Stage::gone) {
    const Error error = co_await read_some();
    if (stage_ == Stage::gone) break;
    if (error) {
      if (stage_ == Stage::busy && is_writing_ && !tls_) {
        end_ = error;  // how much of the request was written decides first: on_written() goes on
        co_return;
      }
      on_end(error);
    } else if (in_.has_leftovers()) {
      on_bytes();
    }
  }
}

void Connection::fail(std::string trouble, ConnectTrouble what) {
  const auto self = shared_from_this();
  trouble += advice_on(what);
  cut();
  hand_.events.connect_failed(id_, std::move(trouble), what);
}

// --- Sending ---

void Connection::send(DspRequest request) {
  DL_CHECK(stage_ == Stage::idle, "a request is sent on an idle connection");
  stage_ = Stage::busy;
  request_ = request.id;
  purpose_ = request.purpose;
  kind_ = request.kind;
  sent_at_ = Steady::now();
  write_trouble_.clear();
  not_taken_ = NotTaken::no_proof;
  make_room(out_, request.body.size());
  if (const auto ok = append_request(hand_.policy, token_.text(), request, out_); !ok) {
    return finish(not_sent(ok.error().message), true);
  }
  head_bytes_ = out_.size() - request.body.size();
  if (std::string trouble = idle_trouble(); !trouble.empty()) {
    return finish(not_sent(std::move(trouble)), false);
  }
  in_.begin();
  set_deadline(hand_.policy.http_timeout);
  write();
}

// What the kernel knows already about an idle connection, though the reader has not been told: that
// the DSP closed it, while that still proves "not sent", or bytes that came unasked (a 408, say),
// before they are taken for the answer.
std::string Connection::idle_trouble() {
  char byte = 0;
  const auto got = ::recv(socket_.native_handle(), &byte, 1, MSG_PEEK | MSG_DONTWAIT);
  if (got == 0) return "the DSP had closed the connection";
  if (got > 0) return tls_ ? "" : "the DSP sent something unasked";  // TLS: most likely a ticket
  const error_code error(errno, boost::system::system_category());
  const bool is_quiet = error == asio::error::would_block || error == asio::error::interrupted;
  return is_quiet ? "" : "the connection had ended: " + error.message();
}

void Connection::write() {
  is_writing_ = true;
  if (tls_) {
    asio::async_write(*tls_, asio::buffer(out_),
                      [self = shared_from_this()](error_code error, std::size_t size) {
                        self->on_written(error, size);
                      });
    return;
  }
  // Nearly every request fits into the socket's buffer, and then needs no turn of the event loop.
  error_code error;
  std::size_t size = 0;
  DL_FAULT_POINT_AFTER("send.header", size = socket_.write_some(
                                          asio::buffer(out_, out_.find("\r\n\r\n") + 4), error));
  DL_FAULT_POINT_AFTER(
      "send.half_body",
      size += socket_.write_some(
          asio::buffer(out_, (out_.find("\r\n\r\n") + 4 + out_.size()) / 2) + size, error));
  size += socket_.write_some(asio::buffer(out_) + size, error);
  if (error == asio::error::would_block) error = {};
  if (error || size == out_.size()) return on_written(error, size);
  asio::async_write(socket_, asio::buffer(out_) + size,
                    [self = shared_from_this(), size](error_code failed, std::size_t more) {
                      self->on_written(failed, size + more);
                    });
}

void Connection::on_written(Error error, std::size_t size) {
  is_writing_ = false;
  DL_FAULT_POINT_IF("send.complete", size == out_.size());
  DL_FAULT_POINT_IF("poll.sent", purpose_ == Purpose::status);
  DL_FAULT_POINT_IF("reconcile.sent", purpose_ == Purpose::lookup || purpose_ == Purpose::resubmit);
  if (stage_ != Stage::busy) return;
  if (!error) return end_ ? on_end(*end_) : void();
  write_trouble_ = "write to " + hand_.policy.endpoint.host_and_port() + ": " + error.message();
  // Under TLS a part of a record may have left even if nothing is said to have been written.
  if (size == 0 && !tls_) return finish(not_sent(write_trouble_), false);
  if (size <= head_bytes_ && size < out_.size() && !tls_) not_taken_ = NotTaken::body_never_began;
  if (end_) return on_end(*end_);
  // The DSP may have answered early and closed: what it said lies in the receive buffer.
  set_deadline(std::min(hand_.policy.http_timeout, kEarlyAnswerWait));
}

// --- The answer ---

// Plain sockets are waited for and then read, so that no bytes are on their way through the event
// loop where idle_trouble() would not see them.
asio::awaitable<Connection::Error> Connection::read_some() {
  error_code error;
  std::size_t size = 0;
  if (tls_) {
    const auto space = in_.space();
    std::tie(error, size) =
        co_await tls_->async_read_some(asio::buffer(space.data(), space.size()), kAwait);
  } else {
    std::tie(error) = co_await socket_.async_wait(tcp::socket::wait_read, kAwait);
    if (error || stage_ == Stage::gone) co_return error;
    const auto space = in_.space();
    size = socket_.read_some(asio::buffer(space.data(), space.size()), error);
    if (error == asio::error::would_block) error = {};
  }
  in_.add(size);
  co_return error;
}

void Connection::on_bytes() {
  // unasked: it must not become the next request's answer
  if (stage_ != Stage::busy) return close();
  DL_FAULT_POINT("recv.first_byte");
  const AnswerReader::Progress progress = in_.read();
  DL_FAULT_POINT_IF("recv.headers", in_.head(token_).http_status != 0);
  DL_FAULT_POINT_IF("recv.half_body",
                    progress == AnswerReader::Progress::more && in_.head(token_).http_status != 0);
  on_progress(progress);
}

void Connection::on_end(Error error) {
  if (stage_ == Stage::idle) return close();
  const bool is_tls = error.category() == asio::error::get_ssl_category();
  if (is_tls && is_first_ && !in_.has_begun() && refuses_us(tls_->native_handle(), error.value()))
    not_taken_ = NotTaken::tls_refused_us;
  const bool in_order = error == asio::error::eof || error == asio::ssl::error::stream_truncated;
  if (in_order) return on_progress(in_.end());
  unanswered((in_.has_begun() ? "the answer was cut: " : "no answer: ") + error.message());
}

void Connection::on_progress(AnswerReader::Progress progress) {
  switch (progress) {
    case AnswerReader::Progress::more: return;
    case AnswerReader::Progress::broken: return unanswered(in_.trouble());
    case AnswerReader::Progress::complete: break;
  }
  const bool reusable = in_.keeps_alive() && !in_.has_leftovers() && !is_writing_ &&
                        write_trouble_.empty() && !close_after_reply_;
  DL_FAULT_POINT("recv.complete");
  DspReply reply = in_.reply(token_, kind_, purpose_);
  DL_FAULT_POINT("parse.done");
  DL_FAULT_POINT_IF("poll.answered", purpose_ == Purpose::status);
  DL_FAULT_POINT_IF("reconcile.answered",
                    purpose_ == Purpose::lookup || purpose_ == Purpose::resubmit);
  const bool is_answer = reply.wire == Wire::answered;
  finish(std::move(reply), reusable && is_answer);
}

void Connection::unanswered(std::string trouble) {
  DspReply reply = in_.head(token_);
  reply.wire = Wire::no_answer;
  reply.not_taken = not_taken_;
  reply.trouble = std::move(trouble);
  if (!write_trouble_.empty()) reply.trouble += " (" + write_trouble_ + ")";
  finish(std::move(reply), false);
}

void Connection::finish(DspReply reply, bool reusable) {
  const auto self = shared_from_this();
  reply.fresh_connection = is_first_;
  if (reply.wire != Wire::not_sent) is_first_ = false;
  const auto took = Steady::now() - sent_at_;
  reply.latency_us = std::chrono::duration_cast<std::chrono::microseconds>(took).count();
  if (reusable) {
    stage_ = Stage::idle;
  } else {
    cut();
  }
  hand_.events.replied(id_, request_, std::move(reply), reusable);
}

// --- Ends ---

void Connection::close() {
  const auto self = shared_from_this();
  switch (stage_) {
    case Stage::connecting: return fail("closed while connecting", ConnectTrouble::dsp);
    case Stage::idle: cut(); return hand_.events.closed(id_);
    case Stage::busy: close_after_reply_ = true; return;
    case Stage::gone: return;
  }
}

void Connection::cut() {
  stage_ = Stage::gone;
  timer_.cancel();
  resolver_.cancel();
  error_code ignored;
  // Explicitly: Asio's destructor would take the linger option back and let unsent data go out.
  socket_.close(ignored);
  hand_.forget(id_);
}

// The timer is lazy: while it runs it is left alone when the deadline moves out, as it does with
// each request, and looks again when it fires.
void Connection::set_deadline(std::chrono::milliseconds span) {
  deadline_ = Steady::now() + span;
  if (!timer_runs_ || timer_.expiry() > deadline_) wait_for_deadline();
}

void Connection::wait_for_deadline() {
  timer_runs_ = true;
  timer_.expires_at(deadline_);
  timer_.async_wait([self = shared_from_this()](error_code error) {
    if (!error) self->on_deadline();
  });
}

void Connection::on_deadline() {
  timer_runs_ = false;
  if (stage_ == Stage::gone || stage_ == Stage::idle) return;
  const Steady::time_point now = Steady::now();
  if (now < deadline_) return wait_for_deadline();
  // and so may an answer have come meanwhile: that is read first
  if (now - deadline_ > kStoodStill) {
    deadline_ = now + kStoodStill;
    return wait_for_deadline();
  }
  if (stage_ == Stage::connecting) {
    return fail("connect to " + hand_.policy.endpoint.host_and_port() + ": no success in " +
                    in_words(hand_.policy.connect_timeout),
                ConnectTrouble::dsp);
  }
  const std::string limit = " in " + in_words(hand_.policy.http_timeout);
  unanswered("no complete answer" + (write_trouble_.empty() ? limit : ""));
}

}  // namespace dl

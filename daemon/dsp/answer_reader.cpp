// Beast 1.81 asserts that five bytes are there when it goes on with an empty chunked body, "0\r\n"
// and so on, which may well come in smaller pieces. It does the right thing; a build with
// assertions would let a DSP end the daemon. What matters is checked by us, by ASan and by fuzzing.
#define BOOST_DISABLE_ASSERTS

#include "daemon/dsp/answer_reader.h"

#include <boost/beast/core/flat_buffer.hpp>
#include <boost/beast/http/parser.hpp>
#include <boost/beast/http/string_body.hpp>
#include <optional>

#include "daemon/dsp/codec.h"
#include "daemon/dsp/reply.h"

namespace dl {
namespace {

namespace http = boost::beast::http;
using boost::system::error_code;

constexpr std::size_t kReadBytes = 16 * 1024;
constexpr std::uint32_t kHeaderBytesMax = 16 * 1024;
// More than a header: a chunk's extensions and a trailer have no limit of their own in Beast.
constexpr std::size_t kBufferBytesMax = 64 * 1024;
static_assert(kBufferBytesMax >= kHeaderBytesMax + kReadBytes);

}  // namespace

struct AnswerReader::Parts {
  boost::beast::flat_buffer bytes{kBufferBytesMax};
  std::optional<http::response_parser<http::string_body>> parser;

  void start_parser() {
    parser.emplace();
    parser->header_limit(kHeaderBytesMax);
    parser->body_limit(kAnswerBytesMax);
    parser->eager(true);
  }
};

AnswerReader::AnswerReader() : parts_(std::make_unique<Parts>()) {}
AnswerReader::~AnswerReader() = default;

std::span<char> AnswerReader::space() {
  const auto space = parts_->bytes.prepare(kReadBytes);
  return {static_cast<char*>(space.data()), space.size()};
}

void AnswerReader::add(std::size_t size) { parts_->bytes.commit(size); }
bool AnswerReader::has_leftovers() const { return parts_->bytes.size() != 0; }

void AnswerReader::begin() {
  parts_->parser.reset();
  trouble_.clear();
}

AnswerReader::Progress AnswerReader::read() {
  auto& [bytes, parser] = *parts_;
  while (bytes.size() != 0) {
    if (!parser) parts_->start_parser();
    error_code error;
    const std::size_t used = parser->put(bytes.data(), error);
    bytes.consume(used);
    if (error && error != http::error::need_more) {
      trouble_ = "the answer cannot be read: " + error.message();
      return Progress::broken;
    }
    const unsigned status = parser->is_header_done() ? parser->get().result_int() : 100;
    if (status < 100 || status == 101) {
      trouble_ = "the answer's status " + std::to_string(status) + " was not asked for";
      return Progress::broken;
    }
    if (parser->is_done()) {
      if (status >= 200) return Progress::complete;
      parser.reset();
    } else if (error || used == 0) {
      break;
    }
  }
  if (bytes.size() <= kBufferBytesMax - kReadBytes) return Progress::more;
  trouble_ = "the answer cannot be read: a line of it is too long";
  return Progress::broken;
}

AnswerReader::Progress AnswerReader::end() {
  auto& parser = parts_->parser;
  if (parser && parser->is_header_done() && parser->need_eof()) {
    error_code error;
    parser->put_eof(error);
    if (!error) return Progress::complete;
  }
  trouble_ = has_begun() ? "the answer was cut" : "the connection was closed without an answer";
  return Progress::broken;
}

bool AnswerReader::has_begun() const {
  return has_leftovers() || (parts_->parser && parts_->parser->got_some());
}

bool AnswerReader::keeps_alive() const { return parts_->parser->keep_alive(); }

DspReply AnswerReader::head(const Secret& token) const {
  DspReply reply;
  const auto& parser = parts_->parser;
  if (!parser || !parser->is_header_done() || parser->get().result_int() < 200) return reply;
  reply.http_status = static_cast<int>(parser->get().result_int());
  for (const auto& field : parser->get()) {
    if (!token.occurs_in(field.value())) note_header(reply, field.name_string(), field.value());
  }
  return reply;
}

DspReply AnswerReader::reply(const Secret& token, JobKind kind, Purpose purpose) {
  DspReply reply = head(token);
  const auto& message = parts_->parser->get();
  const auto type = message.find(http::field::content_type);
  const std::string_view type_text = type == message.end() || token.occurs_in(type->value())
                                         ? ""
                                         : std::string_view(type->value());
  note_body(reply, type_text, message.body(), kind, purpose, token);
  reply.wire = Wire::answered;
  // A status line alone says all that a refusal has to say: that a front asks to wait, or knows no
  // such token. Not so a success, a 404 (perhaps: there is no such entity) and what says nothing of
  // the DSP, as a front's 502: so many of them in a row are a silent DSP.
  const int status = reply.http_status;
  const bool is_refusal = status / 100 == 4 && status != 404 && status != 408;
  if (parts_->parser->need_eof() && !reply.answer.readable && !is_refusal) {
    reply.wire = Wire::no_answer;
    reply.answer = {};
    reply.trouble = "the answer was perhaps cut: it has no length and no readable JSON";
  }
  return reply;
}

}  // namespace dl

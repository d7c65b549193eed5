// The bytes of HTTP answers, one after the other on a connection, up to a DspReply. Its .cpp is the
// only file that includes Boost.Beast, and knows no socket: what it is fed may come from a test or
// a fuzzer. Memory is bounded: 16 KiB of header, 1 MiB of body, 64 KiB not yet understood. Thread
// rule: belongs to its connection's thread.
#pragma once

#include <memory>
#include <span>
#include <string>

#include "daemon/core/dsp.h"
#include "daemon/dsp/secret.h"

namespace dl {

class AnswerReader {
 public:
  enum class Progress {
    more,      // nothing final yet; 1xx answers are read past
    complete,  // a final answer; whatever lies behind it is left over
    broken,    // no answer can come of this: see trouble()
  };

  AnswerReader();
  ~AnswerReader();

  // Where the next bytes of the connection are to be put, and how many were. Never empty.
  std::span<char> space();
  void add(std::size_t size);
  // Bytes that belong to no answer: unasked for while idle, left over after an answer.
  bool has_leftovers() const;

  // A request goes out: forgets the last answer.
  void begin();
  // Reads what was added.
  Progress read();
  // The connection has ended in good order, which may be what completes an answer without length.
  Progress end();

  bool has_begun() const;    // of a final answer, anything at all
  bool keeps_alive() const;  // the complete answer lets the connection be used again
  const std::string& trouble() const { return trouble_; }

  // The status (0 until the header is complete) and the headers, as far as they have been read;
  // values that echo `token` are left out.
  DspReply head(const Secret& token) const;
  // Of the complete answer, with `wire` judged: an answer that only the connection's end completed
  // may have been cut, and counts as an answer only where its JSON is readable.
  DspReply reply(const Secret& token, JobKind kind, Purpose purpose);

 private:
  struct Parts;
  std::unique_ptr<Parts> parts_;
  std::string trouble_;
};

}  // namespace dl

// The DSP as the core sees it: requests and replies as values. What travels between the dispatcher
// and the worker threads; no socket, no JSON, no clock in here. Thread rule: plain values, passed
// by move between threads.
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <vector>

#include "storage/model/ids.h"
#include "storage/model/job.h"
#include "storage/model/work.h"

namespace dl {

// One permit, one HTTP request. `target` is the path below the endpoint's base path, already
// percent-encoded.
struct DspRequest {
  RequestId id;  // of its ledger row
  Purpose purpose = Purpose::status;
  JobKind kind = JobKind::campaign;
  std::string target;           // "/ads/123/status"
  std::string body;             // JSON; empty for a GET
  std::string idempotency_key;  // empty for a GET
};

// How a request ended on the wire, which decides what it proves and how long it holds its limiter
// slot.
enum class Wire {
  not_sent,  // provably no byte of the request left: its slot is given back at once
  // bytes may have left and no complete final answer came: deadline, reset, cut, garbage
  no_answer,
  answered,  // a complete final answer
};

// Whether a request of which bytes have left was certainly not acted upon, though no answer came.
enum class NotTaken {
  no_proof,
  // writing failed before the first byte of its body: no server can take it for whole
  body_never_began,
  tls_refused_us,  // the server refused our side of the TLS handshake, and so processed no data
};

// What the JSON of an answer said, as far as it could be read. Parsed by daemon/dsp/codec.
struct DspAnswer {
  // valid UTF-8 JSON object (or an array of them for a lookup), within limits
  bool readable = false;
  // the kind's id field, legal ids only; more than one only for a lookup
  std::vector<std::string> ids;
  bool id_withheld = false;  // one holds the text of our token, and must not be kept
  // of a lookup: whose each entity says it is, where it says so; "": no text
  std::vector<std::string> external_ids;
  std::optional<std::string> status;
  std::optional<std::string> error;
};

struct DspReply {
  Wire wire = Wire::no_answer;
  NotTaken not_taken = NotTaken::no_proof;
  bool fresh_connection = false;  // the first request on its connection
  int http_status = 0;            // 0: no status line was read
  DspAnswer answer;
  std::string trouble;  // words for people; empty when all went well
  // of the body, at most 512 bytes, for the ledger where the answer was odd
  std::string excerpt;
  std::optional<std::string> retry_after;  // header values as received
  std::optional<std::string> date;
  // of a redirect or of what was accepted; never followed, kept as evidence
  std::string location;
  std::optional<std::string> rate_limit_remaining;  // RateLimit-Remaining or X-RateLimit-Remaining
  std::optional<std::string> rate_limit_reset;
  std::optional<std::string> rate_limit;  // the structured field of later drafts
  std::optional<std::string> rate_limit_policy;
  std::string dsp_request_id;   // X-Request-Id or Request-Id, at most 128 printable bytes
  std::int64_t latency_us = 0;  // first byte out to last byte in (or giving up)
};

// What keeps a connection from being made.
enum class ConnectTrouble {
  dsp,          // its name, the network or the DSP itself
  credentials,  // the token file cannot be read
  open_files,   // this process, or the machine, may open no more files
  memory,       // this machine has none for another socket
  ports,        // this machine has no free port, or no address, to connect from
};

// A connection is named by the dispatcher, which decides when to open one: `worker` says on which
// thread.
struct ConnectionId {
  int worker = 0;
  std::int64_t serial = 0;
  friend auto operator<=>(const ConnectionId&, const ConnectionId&) = default;
};

}  // namespace dl

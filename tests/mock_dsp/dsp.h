// The mock DSP itself: requests in, replies and ledger entries out. It knows the API, the limit,
// idempotency keys, lookups and faults; it has no socket, clock or file.
// Thread rule: one owner. Moments never decrease from call to call.
#pragma once

#include <map>
#include <optional>
#include <string>
#include <vector>

#include "tests/mock_dsp/entities.h"
#include "tests/mock_dsp/faults.h"
#include "tests/mock_dsp/http_request.h"
#include "tests/mock_dsp/ledger.h"
#include "tests/mock_dsp/limit_log.h"
#include "tests/mock_dsp/processing.h"

namespace dl::mock {

enum class Switch { on, off };

struct DspSettings {
  std::vector<Tier> limit;  // empty: none
  Refused refused = Refused::not_counted;
  Processing processing;
  Switch idempotency = Switch::on;
  Switch lookup = Switch::on;
  IdStyle ids = IdStyle::unique;
  std::string token;  // who does not bear it is answered 401; empty: none is asked for
  std::vector<Fault> faults;
  std::uint64_t seed = 1;
};

// How a reply leaves. Every way but `answer` ends the connection.
enum class Way { answer, cut_body, garbage, nothing, reset };

struct Reply {
  Way way = Way::answer;
  int status = 0;
  std::string headers;  // extra lines, each ending in CRLF
  std::string body;
  Micros delay_us = 0;  // on the mock's clock, before anything of it leaves
  LedgerEntry entry;    // all but the connection's fields and answered_real_us
};

class Dsp {
 public:
  explicit Dsp(DspSettings settings);

  // A request that arrived at `now`: counts it, applies it, decides what its client sees.
  Reply handle(const HttpRequest& http, Instant now);
  // Bytes that are not a request; they count as one. `status` is answered.
  Reply refuse_bytes(int status, std::string_view trouble, Instant now);

  // When the next late creation is due, on the mock's clock.
  std::optional<Micros> next_due_us() const;
  // Makes the late creations that are due; an entry for each.
  std::vector<LedgerEntry> apply_due(Instant now);

 private:
  struct Keyed {
    JobKind kind;
    std::size_t body_hash;
    std::string dsp_id;  // empty: still in progress
  };
  struct Late {
    std::int64_t seq;
    Creation creation;
  };
  struct Route;

  Route route_of(const HttpRequest& http) const;
  Reply begin(Instant now);
  void serve(const Route& route, const std::optional<Creation>& creation, Instant now,
             Reply& reply);
  void create(const Creation& creation, Instant now, Reply& reply);
  bool settled_by_key(const Creation& creation, Reply& reply) const;
  void apply_later(const Creation& creation, const Fault& fault, Instant now, Reply& reply);
  void tell_status(const Route& route, Instant now, Reply& reply) const;
  void look_up(const Route& route, Reply& reply) const;

  DspSettings settings_;
  LimitLog limit_;
  Faults faults_;
  Random processing_random_;
  Entities entities_;
  TextMap<Keyed> keys_;
  std::multimap<Micros, Late> late_;
  std::int64_t seq_ = 0;
};

}  // namespace dl::mock

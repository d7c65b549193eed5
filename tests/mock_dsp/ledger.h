// The mock's ledger: an append-only file with one JSON object a line. A request's line is in the
// file before its answer leaves. Lines of one batch go out in one write (O_APPEND).
//
// A request:
//   {"seq":7,"arrival_ms":81234.567,"arrival_scaled_ms":81234.567,"method":"POST","path":"/ads",
//    "status":201,"kind":"ad","entity":"ad_1","parent":"dsp_g3","key":"0b0f-…",
//    "external_id":"0b0f-…","created":true,"fails":false,"processing_ms":3000.000,
//    "dsp_id":"dsp_a7","note":"slow","answer":"","connection":2,"request_on_connection":5,
//    "answered_ms":81237.567}
//
//   seq                 1, 2, … in order of arrival; also in the answer as X-Request-Id
//   arrival_ms          when the request was complete: CLOCK_BOOTTIME in ms
//   arrival_scaled_ms   the same moment times --time-scale: what the limit and processing run by
//   kind                campaign, ad_group or ad; empty where the path is not the API's
//   entity, parent      POST: `id` and the parent's DSP id of the body
//   key, external_id    Idempotency-Key header; external_id of the body (POST) or query (lookup)
//   status              HTTP status answered; 0: no HTTP answer went out
//   created             this request made an entity
//   fails               … whose status will be failed
//   processing_ms       … after so long on the mock's clock (0.000 where nothing was created)
//   dsp_id              the entity created, found again by key or lookup, or asked about (if known)
//   answer              GET …/status: the status told, if it was told
//   note                comma-separated: over_limit, child_before_parent, deduplicated,
//                       key_with_other_body, key_in_progress, unknown_id, bad_request, bad_body,
//                       and the name of the fault that hit (see faults.h)
//   answered_ms         when the answer leaves (for a delayed one: is due to); null: none
//
// A late_apply fault's creation gets a line of its own when it happens:
//   {"event":"applied_late","seq":7,"applied_ms":…,"applied_scaled_ms":…,"kind":…,
//    "entity":…,"parent":…,"key":…,"external_id":…,"created":…,"fails":…,"processing_ms":…,
//    "dsp_id":…,"note":…}
// and each start of a mock: {"event":"started","time_scale":1,"limit":"40/60s",…}
//
// Thread rule: one owner. Ownership: the ledger owns its file.
#pragma once

#include <optional>
#include <string>

#include "storage/model/result.h"
#include "tests/mock_dsp/clock.h"

namespace dl::mock {

// What a request was about and what became of it; strings are valid UTF-8.
struct LedgerEntry {
  std::int64_t seq = 0;
  Instant at;  // arrival, or when it was applied late
  std::string method, path;
  std::string_view kind;
  std::string entity, parent, key, external_id;
  int status = 0;
  bool created = false;
  bool fails = false;
  Micros processing_us = 0;  // of what was created
  std::string dsp_id;
  std::string_view answer;
  std::string note;
  std::int64_t connection = 0;
  std::int64_t request_on_connection = 0;
  std::optional<Micros> answered_real_us;

  void add_note(std::string_view text);
};

class Ledger {
 public:
  // `path` empty: nothing is kept. Errors: cant_create.
  static Result<Ledger> open(const std::string& path);
  ~Ledger();
  Ledger(Ledger&& other) noexcept;
  Ledger(const Ledger&) = delete;
  Ledger& operator=(const Ledger&) = delete;
  Ledger& operator=(Ledger&&) = delete;

  void started(double time_scale, const std::string& limit, const std::string& flags);
  void request(const LedgerEntry& entry);
  void applied_late(const LedgerEntry& entry);
  // Writes what was added since the last flush. Errors: io.
  Status flush();

 private:
  Ledger(int file, std::string path) : file_(file), path_(std::move(path)) {}
  int file_;  // -1: nothing is kept
  std::string path_;
  std::string pending_;
};

}  // namespace dl::mock

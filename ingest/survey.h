// The first pass: reads a whole input, checks everything, writes nothing. What it learned is enough
// for the second pass to load without a surprise. Thread rule: one thread a survey.
#pragma once

#include <cstdint>
#include <functional>
#include <optional>
#include <string>
#include <unordered_set>
#include <vector>

#include "ingest/dsp_id_check.h"
#include "ingest/entities.h"
#include "ingest/row.h"

namespace dl {

// What happens to the rest of a file with errors.
enum class OnError { reject_file, skip_row, skip_subtree };

struct Survey {
  InputFormat format = InputFormat::csv;
  std::vector<std::string> header;
  std::string dialect;  // csv_reader.h; empty: JSON
  std::string sha256_hex;
  std::int64_t rows = 0;
  Problems problems;
  bool has_results = false;   // some row is of a result sheet, with its state or the DSP's ids
  bool is_scattered = false;  // rows of one campaign or ad group do not stand together
  bool loadable = false;      // under the policy: no error, or some row is left to load
  // key hashes of entities with an error; only for skip_subtree
  std::unordered_set<std::uint64_t> bad_entities;

  // Without a problem, and not scattered: all of it is loaded as it stands.
  bool is_in_order() const { return loadable && problems.empty() && !is_scattered; }
  // Is this row left out? `entities` are those of the row.
  bool leaves_out(OnError policy, std::int64_t row_number, const RowEntities& entities) const;
};

// Told the bytes read so far, now and then.
using ProgressSink = std::function<void(std::int64_t bytes)>;

// What a survey has seen so far.
struct SurveySoFar {
  std::int64_t rows = 0;
  std::int64_t bytes = 0;
  // there was a problem, or the rows look scattered; only the end tells for sure
  bool is_doubtful = false;
};
// Told now and then, at the latest 1024 rows on.
using SurveySink = std::function<void(const SurveySoFar&)>;

// `format`: given by the user; by content otherwise. `dsp_ids`: nullptr: for no database, so nobody
// knows whether the rows' ids are right. Errors: io, data (UTF-16), the check's; what is wrong with
// rows is in the survey.
Result<Survey> survey(const InputFile& file, std::optional<InputFormat> format, OnError policy,
                      const SurveySink& so_far, DspIdCheck* dsp_ids = nullptr);

}  // namespace dl

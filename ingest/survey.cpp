#include "ingest/survey.h"

#include "ingest/contradictions.h"
#include "ingest/seen_entities.h"

namespace dl {
namespace {

constexpr std::int64_t kScatteredFrom = 16;  // one row of so many comes back to a campaign or ad group

Status note_entities(const RowEntities& entities, std::int64_t row_number, SeenEntities& seen,
                     Survey& survey) {
  for (const KindNames& names : kKinds) {
    if (names.kind > entities.deepest()) break;
    const Entity& entity = entities[names.kind];
    if (entity.key.empty()) continue;  // an id in it is not valid
    if (!entity.valid) {
      survey.bad_entities.insert(SeenEntities::key_hash(entity.key));
    } else if (!entity.repeated) {
      if (Status ok = seen.add(entity.key, entity.body, row_number); !ok) return ok;
    }
  }
  return Done{};
}

void refuse_if_nothing_is_there(Survey& survey) {
  if (survey.rows > 0 || !survey.problems.empty()) return;
  survey.problems.add(
      {0, 0, "file", "no_rows", "there is a header and no row below it", "", false});
}

}  // namespace

bool Survey::leaves_out(OnError policy, std::int64_t row_number,
                        const RowEntities& entities) const {
  if (problems.is_bad_row(row_number)) return true;
  if (policy != OnError::skip_subtree || bad_entities.empty()) return false;
  for (const KindNames& names : kKinds) {
    if (names.kind > entities.deepest()) break;
    if (bad_entities.contains(SeenEntities::key_hash(entities[names.kind].key))) return true;
  }
  return false;
}

Result<Survey> survey(const InputFile& file, std::optional<InputFormat> format, OnError policy,
                      const ProgressSink& progress) {
  Survey survey;
  if (!format) {
    Result<InputFormat> found = sniff_format(file);
    if (!found) return found.error();
    format = *found;
  }
  survey.format = *format;
  Result<std::unique_ptr<RowReader>> opened = open_rows(file, *format, survey.problems);
  if (!opened) return opened.error();
  RowReader& reader = **opened;
  survey.header = reader.header();
  survey.dialect = reader.dialect();
  const bool header_is_good = survey.problems.empty();

  Row row;
  RowEntities entities;
  SeenEntities seen;
  for (;;) {
    Result<bool> more = reader.next(row, survey.problems);
    if (!more) return more.error();
    if (!*more) break;
    ++survey.rows;
    const bool good = entities.take(row, reader, survey.problems);
    if (!good) survey.problems.mark_bad_row(row.number);
    if (Status ok = note_entities(entities, row.number, seen, survey); !ok) return ok.error();
    if (survey.rows % kRowsBetweenProgress == 0) progress(reader.bytes_read());
  }
  refuse_if_nothing_is_there(survey);
  Result<std::string> digest = reader.sha256_hex();
  if (!digest) return digest.error();
  survey.sha256_hex = std::move(*digest);

  Result<SeenEntities::Found> found = seen.find();
  if (!found) return found.error();
  survey.is_scattered = found->again > survey.rows / kScatteredFrom;
  if (!found->suspicions.empty()) {
    if (Status ok = report_contradictions(file, survey, found->suspicions); !ok) return ok.error();
  }
  survey.loadable = survey.problems.empty() ||
                    (policy != OnError::reject_file && header_is_good && survey.rows > 0);
  return survey;
}

}  // namespace dl

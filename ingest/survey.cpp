#include "ingest/survey.h"

#include "ingest/contradictions.h"
#include "ingest/seen_entities.h"

namespace dl {
namespace {

constexpr std::int64_t kScatteredFrom = 16;  // one row of so many comes back to a campaign or ad group
constexpr std::int64_t kRowsBetweenTellings = 1024;

// Campaigns and ad groups that come again, as far as a bounded memory knows them: a guess, long before the end.
class ComingAgain {
 public:
  void add(const Entity& entity) {
    const std::uint64_t hash = SeenEntities::key_hash(entity.key);
    const bool is_known = seen_.size() < kKnown ? !seen_.insert(hash).second : seen_.contains(hash);
    if (is_known) ++again_;
  }
  bool looks_scattered(std::int64_t rows) const { return again_ > rows / kScatteredFrom; }

 private:
  static constexpr std::size_t kKnown = 100'000;
  std::unordered_set<std::uint64_t> seen_;
  std::int64_t again_ = 0;
};

Status note_entities(const RowEntities& entities, std::int64_t row_number, SeenEntities& seen,
                     ComingAgain& coming_again, Survey& survey) {
  for (const KindNames& names : kKinds) {
    if (names.kind > entities.deepest()) break;
    const Entity& entity = entities[names.kind];
    if (entity.key.empty()) continue;  // an id in it is not valid
    if (!entity.valid) {
      survey.bad_entities.insert(SeenEntities::key_hash(entity.key));
    } else if (!entity.repeated) {
      if (names.kind != JobKind::ad) coming_again.add(entity);
      if (Status ok = seen.add(entity.key, entity.body, row_number); !ok) return ok;
    }
  }
  return Done{};
}

// True: its ids at the DSP are those of its jobs.
Result<bool> check_dsp_ids(DspIdCheck& dsp_ids, const Row& row, const RowReader& reader, const RowEntities& entities,
                           Survey& survey) {
  const Result<std::optional<JobKind>> other = dsp_ids.take(row, reader, entities, survey.problems);
  if (!other) return other.error();
  if (!*other) return true;
  survey.bad_entities.insert(SeenEntities::key_hash(entities[**other].key));
  return false;
}

// All rows once. True: some value proves that the input has decimal commas.
Result<bool> look_at_rows(RowReader& reader, Point point, SeenEntities& seen, Survey& survey, const SurveySink& so_far,
                          DspIdCheck* dsp_ids) {
  Row row;
  RowEntities entities(point);
  ComingAgain coming_again;
  for (;;) {
    Result<bool> more = reader.next(row, survey.problems);
    if (!more) return more.error();
    if (!*more) return entities.has_decimal_comma();
    ++survey.rows;
    bool good = entities.take(row, reader, survey.problems);
    if (row.has_dsp_ids()) {
      survey.has_dsp_ids = true;
      const Result<bool> fits = dsp_ids == nullptr ? true : check_dsp_ids(*dsp_ids, row, reader, entities, survey);
      if (!fits) return fits.error();
      good = good && *fits;
    }
    if (!good) survey.problems.mark_bad_row(row.number);
    if (Status ok = note_entities(entities, row.number, seen, coming_again, survey); !ok) return ok.error();
    if (survey.rows % kRowsBetweenTellings != 0) continue;
    so_far({survey.rows, reader.bytes_read(),
            !survey.problems.empty() || coming_again.looks_scattered(survey.rows)});
  }
}

void refuse_if_nothing_is_there(Survey& survey) {
  if (survey.rows > 0 || !survey.problems.empty()) return;
  survey.problems.add({0, 0, "file", "no_rows",
                       survey.format == InputFormat::csv ? "there is a header and no row below it"
                                                         : "there is no campaign in it",
                       "", false});
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

namespace {

// `point`: what is known of it before. Nothing: it is otherwise, and all has to be looked at again.
Result<std::optional<Survey>> survey_with(Point point, const InputFile& file, InputFormat format, OnError policy,
                                          const SurveySink& so_far, DspIdCheck* dsp_ids) {
  Survey survey;
  survey.format = format;
  Result<std::unique_ptr<RowReader>> opened = open_rows(file, format, survey.problems);
  if (!opened) return opened.error();
  RowReader& reader = **opened;
  survey.header = reader.header();
  survey.dialect = reader.dialect();
  const bool header_is_good = survey.problems.empty();
  SeenEntities seen;
  const Result<bool> has_decimal_comma = look_at_rows(reader, point, seen, survey, so_far, dsp_ids);
  if (!has_decimal_comma) return has_decimal_comma.error();
  if (*has_decimal_comma && point == Point::decimal && reader.point() == Point::decimal) return std::optional<Survey>();
  refuse_if_nothing_is_there(survey);
  Result<std::string> digest = reader.sha256_hex();
  if (!digest) return digest.error();
  survey.sha256_hex = std::move(*digest);

  Result<SeenEntities::Found> found = seen.find();
  if (!found) return found.error();
  survey.is_scattered = found->again > survey.rows / kScatteredFrom;
  so_far({survey.rows, reader.bytes_read(),
          !survey.problems.empty() || survey.is_scattered || !found->suspicions.empty()});
  if (!found->suspicions.empty()) {
    if (Status ok = report_contradictions(file, survey, found->suspicions); !ok) return ok.error();
  }
  survey.loadable = survey.problems.empty() ||
                    (policy != OnError::reject_file && header_is_good && survey.rows > 0);
  return std::optional<Survey>(std::move(survey));
}

}  // namespace

Result<Survey> survey(const InputFile& file, std::optional<InputFormat> format, OnError policy,
                      const SurveySink& so_far, DspIdCheck* dsp_ids) {
  if (!format) {
    Result<InputFormat> found = sniff_format(file);
    if (!found) return found.error();
    format = *found;
  }
  Result<std::optional<Survey>> found = survey_with(Point::decimal, file, *format, policy, so_far, dsp_ids);
  // One decimal comma makes 15.000 doubtful also in the rows above it; whoever mends the comma must not get fifteen.
  if (found && !*found) found = survey_with(Point::either, file, *format, policy, so_far, dsp_ids);
  if (!found) return found.error();
  return std::move(**found);
}

}  // namespace dl

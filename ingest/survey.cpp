#include "ingest/survey.h"

#include <algorithm>
#include <variant>

#include "ingest/contradictions.h"
#include "ingest/look_alike_ids.h"
#include "ingest/seen_entities.h"

namespace dl {
namespace {

// one row of so many comes back to a campaign or ad group
constexpr std::int64_t kScatteredFrom = 16;
constexpr std::int64_t kRowsBetweenTellings = 1024;

// Campaigns and ad groups that come again, as far as a bounded memory knows them: a guess, long
// before the end.
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

// What is noted of each row until the end.
struct Notes {
  SeenEntities seen;
  LookAlikeIds ids;
  ComingAgain coming_again;
  DspIdCheck* dsp_ids = nullptr;  // none: no database is asked

  Status take(const RowEntities& entities, std::int64_t row_number, OnError policy, Survey& survey);
  // True: where the row is of a result sheet, it names the jobs that it was written for.
  Result<bool> names_its_jobs(const Row& row, const RowReader& reader, const RowEntities& entities,
                              OnError policy, Survey& survey);
};

Status Notes::take(const RowEntities& entities, std::int64_t row_number, OnError policy,
                   Survey& survey) {
  for (const KindNames& names : kKinds) {
    if (names.kind > entities.deepest()) break;
    const Entity& entity = entities[names.kind];
    if (entity.key.empty()) continue;  // an id in it is not valid
    if (!entity.valid) {
      if (policy == OnError::skip_subtree)
        survey.bad_entities.insert(SeenEntities::key_hash(entity.key));
    } else if (!entity.repeated) {
      if (Status ok = seen.add(entity.key, entity.body, row_number); !ok) return ok;
      if (names.kind == JobKind::ad) continue;
      coming_again.add(entity);
      if (Status ok = ids.add(entity.key, row_number); !ok) return ok;
    }
  }
  return Done{};
}

Result<bool> Notes::names_its_jobs(const Row& row, const RowReader& reader,
                                   const RowEntities& entities, OnError policy, Survey& survey) {
  if (!row.is_of_results()) return true;
  survey.has_results = true;
  if (dsp_ids == nullptr) return true;
  const Result<std::optional<JobKind>> other =
      dsp_ids->take(row, reader, entities, survey.problems);
  if (!other) return other.error();
  if (!*other) return true;
  if (policy == OnError::skip_subtree)
    survey.bad_entities.insert(SeenEntities::key_hash(entities[**other].key));
  return false;
}

// All rows once. What points are, by their values.
Result<Points> look_at_rows(RowReader& reader, const Points& points, OnError policy, Notes& notes,
                            Survey& survey, const SurveySink& so_far) {
  Row row;
  RowEntities entities(points);
  for (;;) {
    Result<bool> more = reader.next(row, survey.problems);
    if (!more) return more.error();
    if (!*more) return entities.points_by_values();
    ++survey.rows;
    bool good = entities.take(row, reader, survey.problems);
    const Result<bool> same = notes.names_its_jobs(row, reader, entities, policy, survey);
    if (!same) return same.error();
    good = good && *same;
    if (!good) survey.problems.mark_bad_row(row.number);
    if (Status ok = notes.take(entities, row.number, policy, survey); !ok) return ok.error();
    if (survey.rows % kRowsBetweenTellings != 0) continue;
    so_far({survey.rows, reader.bytes_read(),
            !survey.problems.empty() || notes.coming_again.looks_scattered(survey.rows)});
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

// By column, the stricter of two.
Points stricter_of(Points points, const Points& others) {
  for (std::size_t i = 0; i < points.size(); ++i) points[i] = std::max(points[i], others[i]);
  return points;
}

// `points`: what is known of them before. Points instead of a survey: they are those, and all has
// to be looked at again.
Result<std::variant<Survey, Points>> survey_with(const Points& points, const InputFile& file,
                                                 InputFormat format, OnError policy,
                                                 const SurveySink& so_far, DspIdCheck* dsp_ids) {
  using Found = std::variant<Survey, Points>;
  Survey survey;
  survey.format = format;
  Result<std::unique_ptr<RowReader>> opened = open_rows(file, format, survey.problems);
  if (!opened) return opened.error();
  RowReader& reader = **opened;
  survey.header = reader.header();
  survey.dialect = reader.dialect();
  const bool header_is_good = survey.problems.empty();
  Notes notes;
  notes.dsp_ids = dsp_ids;
  const Result<Points> proved = look_at_rows(reader, points, policy, notes, survey, so_far);
  if (!proved) return proved.error();
  if (const Points all = stricter_of(points, *proved); all != points) return Found(all);
  refuse_if_nothing_is_there(survey);
  Result<std::string> digest = reader.sha256_hex();
  if (!digest) return digest.error();
  survey.sha256_hex = std::move(*digest);

  Result<SeenEntities::Found> found = notes.seen.find();
  if (!found) return found.error();
  survey.is_scattered = found->again > survey.rows / kScatteredFrom;
  so_far({survey.rows, reader.bytes_read(),
          !survey.problems.empty() || survey.is_scattered || !found->suspicions.empty()});
  if (!found->suspicions.empty()) {
    if (Status ok = report_contradictions(file, survey, found->suspicions); !ok) return ok.error();
  }
  if (Status ok = notes.ids.warn(file, survey); !ok) return ok.error();
  survey.loadable = survey.problems.empty() ||
                    (policy != OnError::reject_file && header_is_good && survey.rows > 0);
  return Found(std::move(survey));
}

}  // namespace

Result<Survey> survey(const InputFile& file, std::optional<InputFormat> format, OnError policy,
                      const SurveySink& so_far, DspIdCheck* dsp_ids) {
  if (!format) {
    Result<InputFormat> found = sniff_format(file);
    if (!found) return found.error();
    format = *found;
  }
  // What proves a decimal comma, or that nothing proves a decimal point, makes 15.000 doubtful also
  // in the rows above; whoever mends the comma alone must not get fifteen. Each look is stricter
  // than the one before.
  Points points{};
  for (;;) {
    Result<std::variant<Survey, Points>> found =
        survey_with(points, file, *format, policy, so_far, dsp_ids);
    if (!found) return found.error();
    if (Survey* whole = std::get_if<Survey>(&*found)) return std::move(*whole);
    points = std::get<Points>(*found);
  }
}

}  // namespace dl

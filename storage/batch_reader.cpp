#include "storage/batch_reader.h"

#include "queries_sql.h"
#include "storage/sound_rows.h"

namespace dl {
namespace {

std::string text_at(SQLite::Statement& statement, int column) {
  const SQLite::Column value = statement.getColumn(column);
  return value.isNull() ? std::string() : value.getString();
}

std::optional<std::string> optional_text(SQLite::Statement& statement, int column) {
  const SQLite::Column value = statement.getColumn(column);
  if (value.isNull()) return std::nullopt;
  return value.getString();
}

std::optional<std::int64_t> optional_number(SQLite::Statement& statement, int column) {
  const SQLite::Column value = statement.getColumn(column);
  if (value.isNull()) return std::nullopt;
  return value.getInt64();
}

std::array<std::string, 3> texts_from(SQLite::Statement& statement, int column) {
  return {text_at(statement, column), text_at(statement, column + 1),
          text_at(statement, column + 2)};
}

void bind_batch(SQLite::Statement& statement, std::optional<std::int64_t> id) {
  if (id) {
    statement.bind(":batch", *id);
  } else {
    statement.bind(":batch");
  }
}

}  // namespace

Result<std::optional<BatchFacts>> find_batch(Database& database, std::optional<std::int64_t> id) {
  std::optional<BatchFacts> facts;
  const Status ok = database.guard(database.path(), [&]() -> Status {
    SQLite::Statement find(database.handle(), std::string(sql::k_ingest_find_batch));
    bind_batch(find, id);
    if (!find.executeStep()) return Done{};
    facts = BatchFacts{BatchId{find.getColumn(0).getInt64()},
                       find.getColumn(1).getString(),
                       find.getColumn(2).getString(),
                       optional_text(find, 3),
                       optional_text(find, 4),
                       find.getColumn(5).getInt64(),
                       optional_text(find, 6),
                       find.getColumn(7).getInt() != 0,
                       find.getColumn(8).getInt64(),
                       find.getColumn(9).getInt64(),
                       find.getColumn(10).getInt() != 0};
    return Done{};
  });
  if (!ok) return ok.error();
  return facts;
}

Status read_results(Database& database, BatchId batch,
                    const std::function<Status(const ResultRow&)>& sink) {
  return database.guard(database.path(), [&]() -> Status {
    SQLite::Statement rows(database.handle(), std::string(sql::k_ingest_results));
    rows.bind(":batch", batch.value);
    while (rows.executeStep()) {
      ResultRow row;
      row.row = rows.getColumn(0).getInt64();
      row.line = rows.getColumn(1).getInt64();
      row.state = rows.getColumn(3).getString();
      row.stored = {optional_text(rows, 2), texts_from(rows, 7), texts_from(rows, 10),
                    texts_from(rows, 4)};
      row.error = text_at(rows, 13);
      row.attempts = optional_number(rows, 14);
      row.failed = rows.getColumn(15).getInt() != 0;
      row.held_up = rows.getColumn(16).getInt() != 0;
      if (Status ok = sink(row); !ok) return ok;
    }
    return Done{};
  });
}

Status read_kept_rows(Database& database, BatchId batch,
                      const std::function<Status(const StoredRow&)>& sink) {
  return database.guard(database.path(), [&]() -> Status {
    SQLite::Statement rows(database.handle(), std::string(sql::k_ingest_kept_rows));
    rows.bind(":batch", batch.value);
    while (rows.executeStep()) {
      const StoredRow row{optional_text(rows, 0), texts_from(rows, 4), texts_from(rows, 7),
                          texts_from(rows, 1)};
      if (Status ok = sink(row); !ok) return ok;
    }
    return Done{};
  });
}

Result<std::vector<BatchId>> failed_batches_before(Database& database, BatchId batch) {
  std::vector<BatchId> batches;
  const Status ok = database.guard(database.path(), [&]() -> Status {
    SQLite::Statement list(database.handle(), std::string(sql::k_ingest_failed_batches));
    list.bind(":batch", batch.value);
    while (list.executeStep()) batches.push_back(BatchId{list.getColumn(0).getInt64()});
    return Done{};
  });
  if (!ok) return ok.error();
  return batches;
}

Result<std::vector<StateCount>> count_states(Database& database, std::optional<BatchId> batch) {
  std::vector<StateCount> counts;
  const Status ok = database.guard(database.path(), [&]() -> Status {
    SQLite::Statement list(database.handle(), std::string(sql::k_ingest_count_states));
    bind_batch(list, batch ? std::optional(batch->value) : std::nullopt);
    while (list.executeStep()) {
      counts.push_back({kind_of(list.getColumn(0)), state_of(list.getColumn(1)),
                        list.getColumn(2).getInt64(), list.getColumn(3).getInt64(),
                        list.getColumn(4).getInt64()});
    }
    return Done{};
  });
  if (!ok) return ok.error();
  return counts;
}

Result<RowFates> read_row_fates(Database& database, BatchId batch) {
  RowFates fates;
  const Status ok = database.guard(database.path(), [&]() -> Status {
    SQLite::Statement rows(database.handle(), std::string(sql::k_ingest_row_fates));
    rows.bind(":batch", batch.value);
    for (; rows.executeStep(); ++fates.rows) {
      const std::optional<JobState> stands = state_named(rows.getColumn(0).getText());
      if (stands == JobState::succeeded) ++fates.succeeded;
      if (stands == JobState::cancelled) ++fates.cancelled;
      if (stands == JobState::failed) ++fates.failed;
      if (stands == JobState::in_doubt) ++fates.held;
      if (stands == JobState::blocked) ++fates.stuck;
    }
    return Done{};
  });
  if (!ok) return ok.error();
  return fates;
}

Result<AccountFacts> read_account(Database& database) {
  AccountFacts facts;
  const Status ok = database.guard(database.path(), [&]() -> Status {
    SQLite::Statement account(database.handle(), std::string(sql::k_ingest_account));
    if (!account.executeStep()) return Done{};
    facts = AccountFacts{optional_text(account, 0),
                         text_at(account, 1),
                         optional_number(account, 2),
                         text_at(account, 3),
                         optional_text(account, 4),
                         optional_number(account, 5),
                         optional_number(account, 6).value_or(0)};
    return Done{};
  });
  if (!ok) return ok.error();
  return facts;
}

JobLookup::JobLookup(Database& database) : database_(database) {}

Result<std::optional<KnownJob>> JobLookup::find(const std::string& key, const std::string& body) {
  std::optional<KnownJob> known;
  const Sha256 digest = sha256(body);
  const Status ok = database_.guard(database_.path(), [&]() -> Status {
    if (find_ == nullptr) {
      find_ =
          std::make_unique<SQLite::Statement>(database_.handle(), std::string(sql::k_ingest_fate));
    }
    find_->bindNoCopy(1, digest.data(), static_cast<int>(digest.size()));
    find_->bindNoCopy(2, key);
    if (find_->executeStep()) {
      known = KnownJob{find_->getColumn(0).getInt() != 0, find_->getColumn(1).getInt() != 0,
                       find_->getColumn(2).getString(), find_->getColumn(3).getInt() != 0,
                       text_at(*find_, 4)};
    }
    find_->reset();
    return Done{};
  });
  if (!ok) return ok.error();
  return known;
}

void keep_changed_rows(Database& database,
                       const std::function<std::string(const ChangedRow&)>& render) {
  SQLite::Statement rows(database.handle(), std::string(sql::k_ingest_changed_rows));
  SQLite::Statement keep(database.handle(), std::string(sql::k_ingest_keep_row));
  while (rows.executeStep()) {
    const ChangedRow row{optional_text(rows, 2), optional_text(rows, 3), texts_from(rows, 4)};
    keep.bind(":raw", render(row));
    keep.bind(":batch", rows.getColumn(0).getInt64());
    keep.bind(":row", rows.getColumn(1).getInt64());
    keep.exec();
    keep.reset();
  }
}

}  // namespace dl

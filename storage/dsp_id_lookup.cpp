#include "storage/dsp_id_lookup.h"

#include "queries_sql.h"

namespace dl {

DspIdLookup::DspIdLookup(Database& database) : database_(database) {}

Result<std::optional<std::string>> DspIdLookup::id_of(const std::string& key) {
  std::optional<std::string> id;
  const Status ok = database_.guard(database_.path(), [&]() -> Status {
    if (id_of_ == nullptr) {
      id_of_ = std::make_unique<SQLite::Statement>(database_.handle(),
                                                   std::string(sql::k_ingest_dsp_id_of_job));
    }
    id_of_->bindNoCopy(1, key);
    if (id_of_->executeStep()) {
      const SQLite::Column value = id_of_->getColumn(0);
      id = value.isNull() ? std::string() : value.getString();
    }
    id_of_->reset();
    return Done{};
  });
  if (!ok) return ok.error();
  return id;
}

Result<std::vector<std::string>> DspIdLookup::former_ids_of(const std::string& key) {
  std::vector<std::string> ids;
  const Status ok = database_.guard(database_.path(), [&]() -> Status {
    SQLite::Statement list(database_.handle(), std::string(sql::k_ingest_dsp_ids_of_job));
    list.bind(":key", key);
    while (list.executeStep()) ids.push_back(list.getColumn(0).getString());
    return Done{};
  });
  if (!ok) return ok.error();
  return ids;
}

Result<std::optional<std::string>> DspIdLookup::job_of(JobKind kind, const std::string& id) {
  std::optional<std::string> key;
  const Status ok = database_.guard(database_.path(), [&]() -> Status {
    SQLite::Statement find(database_.handle(), std::string(sql::k_ingest_job_of_dsp_id));
    find.bind(":dsp_id", id);
    find.bind(":kind", std::string(names_of(kind).name));
    if (find.executeStep()) key = find.getColumn(0).getString();
    return Done{};
  });
  if (!ok) return ok.error();
  return key;
}

}  // namespace dl

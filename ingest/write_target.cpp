#include "ingest/write_target.h"

#include <optional>
#include <utility>

#include "storage/archive_file.h"
#include "storage/batch_writer.h"
#include "storage/database_name.h"
#include "storage/live_daemon.h"
#include "storage/migrator.h"

namespace dl {
namespace {

Status take(std::optional<IngestLock>& lock, const std::string& name) {
  if (lock) return Done{};
  Result<IngestLock> taken = IngestLock::take(name);
  if (!taken) return taken.error();
  lock.emplace(std::move(*taken));
  return Done{};
}

}  // namespace

// The lock comes first only where something is migrated: it makes a file, which nobody wants beside
// what turns out to be no database.
Result<WriteTarget> open_to_write(const std::string& path, OpenMode mode) {
  const Result<std::string> name = name_of_database(path);
  if (!name) return name.error();
  std::optional<IngestLock> lock;
  if (has_older_schema(*name)) {
    if (Status ok = refuse_to_migrate_beside_daemon(*name); !ok) return ok.error();
    if (Status ok = take(lock, *name); !ok) return ok.error();
  }
  Result<std::unique_ptr<Database>> database = Database::open(*name, mode);
  if (!database) return database.error();
  if (Status ours = check_schema_is_ours(**database); !ours) return ours.error();
  if (Status ok = refuse_archive(**database); !ok) return ok.error();
  if (Status ok = take(lock, *name); !ok) return ok.error();
  const Result<int> removed = remove_orphaned_batches(**database);
  if (!removed) return removed.error();
  return WriteTarget{std::move(*lock), std::move(*database), *removed > 0};
}

}  // namespace dl

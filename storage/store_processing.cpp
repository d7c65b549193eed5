// What the schedule has learned of how long the DSP takes: written with outcomes, read at the
// start.
#include "queries_sql.h"
#include "storage/store.h"
#include "storage/store_columns.h"

namespace dl {

void Store::save_processing(const std::vector<ProcessingBin>& bins) {
  for (const ProcessingBin& bin : bins) {
    SQLite::Statement& save = sql(sql::k_save_processing);
    bind_text(save, ":kind", names_of(bin.kind).name);
    save.bind(":bin", bin.bin);
    save.bind(":until_ms", bin.until_ms);
    save.bind(":entered", bin.entered);
    save.bind(":done", bin.done);
    save.bind(":believed", bin.believed);
    save.exec();
  }
}

void Store::read_processing(Recovery& recovery) {
  SQLite::Statement& rows = sql(sql::k_load_processing);
  while (rows.executeStep()) {
    ProcessingBin bin;
    bin.kind = kind_column(rows, "kind");
    bin.bin = rows.getColumn("bin").getInt();
    bin.until_ms = rows.getColumn("until_ms").getInt64();
    bin.entered = rows.getColumn("entered").getDouble();
    bin.done = rows.getColumn("done").getDouble();
    bin.believed = rows.getColumn("believed").getDouble();
    recovery.processing.push_back(bin);
  }
  rows.reset();
}

}  // namespace dl

// What a page whose bits have turned over may hold where every database of ours has something else
// (found by dl-flips). A daemon ends with "the database is damaged", and not with an abort that
// systemd would repeat, nor with a word about a bug.
#include <gmock/gmock.h>
#include <sqlite3.h>

#include "storage/generation_file.h"
#include "tests/storage/store_fixture.h"

namespace dl {
namespace {

using ::testing::HasSubstr;

struct Damage {
  const char* sql;
  Errc code;
  const char* words;
};
void PrintTo(const Damage& damage, std::ostream* out) { *out << damage.sql; }

class DamagedRows : public StoreTest, public ::testing::WithParamInterface<Damage> {
 protected:
  // As dl-daemon begins, to the first thing that is in its way.
  Status begin() {
    auto database = Database::open(path(), OpenMode::existing);
    if (!database) return database.error();
    Store store(std::move(*database), test_format(), policy_);
    Result<GenerationFile> file = GenerationFile::open(path());
    if (!file) return file.error();
    if (Status trusted = store.trust_or_hold(std::move(*file)); !trusted) return trusted;
    if (const Result<Recovery> recovery = store.take_over(facts_, now_); !recovery)
      return recovery.error();
    return Done{};
  }
};

TEST_P(DamagedRows, EndTheDaemonWithAWordAboutIt) {
  EXPECT_TRUE(begin()) << "the fixture is sound";
  sqlite3_db_config(stranger_->getHandle(), SQLITE_DBCONFIG_ENABLE_TRIGGER, 0, nullptr);
  ASSERT_EQ("",
            as_stranger(std::string("PRAGMA ignore_check_constraints = ON; ") + GetParam().sql));
  const Status begun = begin();
  ASSERT_FALSE(begun);
  EXPECT_EQ(begun.error().code, GetParam().code) << begun.error().message;
  EXPECT_THAT(begun.error().message, HasSubstr(GetParam().words));
}

INSTANTIATE_TEST_SUITE_P(
    Every, DamagedRows,
    ::testing::Values(
        Damage{"UPDATE job_count SET kind = 'campaygn' WHERE kind = 'campaign'", Errc::data,
               "the database is damaged: \"campaygn\" is no kind of job"},
        Damage{"UPDATE job_count SET state = 'reqdy' WHERE state = 'ready'", Errc::data,
               "the database is damaged: \"reqdy\" is no state of a job"},
        Damage{"UPDATE property SET name = 'feneration' WHERE name = 'generation'", Errc::data,
               "the database is damaged: generation is missing"},
        Damage{"UPDATE property SET value = 'q' WHERE name = 'generation'", Errc::data,
               "the database is damaged: generation is \"q\", which is no number"},
        Damage{"DELETE FROM property WHERE name = 'database_id'", Errc::data,
               "the database is damaged: database_id is missing"},
        Damage{"DELETE FROM account", Errc::data,
               "the database is damaged: the row of account is missing"},
        // its index no longer fits it
        Damage{
            "PRAGMA writable_schema = ON; "
            "UPDATE sqlite_schema SET rootpage = (SELECT rootpage FROM sqlite_schema WHERE name = "
            "'job_tree') WHERE name = 'sqlite_autoindex_job_rule_1'; "
            "UPDATE job_rule SET actor = 'nobody' WHERE id = 1",
            Errc::data, "the database is damaged ("},
        Damage{"PRAGMA writable_schema = ON; UPDATE sqlite_schema SET sql = "
               "replace(sql, 'use_operator_act', 'use_operauor_act') WHERE type = 'trigger'",
               Errc::config, "its schema was changed: restore a backup"},
        Damage{"ALTER TABLE migration RENAME COLUMN version TO vershon", Errc::config,
               "its schema was changed: restore a backup"}));

// What is written follows from what is there (found by dl-flips, seed 202558): here a count of open
// parents that would fall below 0.
TEST_F(StoreTest, SaysThatTheTablesContradictThemselves) {
  start();
  confirm(fixture::kCampaign, "dsp-1");
  const Granted look = grant(fixture::kCampaign, Purpose::status);
  sqlite3_db_config(stranger_->getHandle(), SQLITE_DBCONFIG_ENABLE_TRIGGER, 0, nullptr);
  ASSERT_EQ("", as_stranger("UPDATE job SET open_parents = 0 WHERE id = 2"));
  WorkBatch batch;
  batch.outcomes.push_back(outcome_of(look, JobEvent::confirmed));
  const auto committed = try_commit(batch);
  ASSERT_FALSE(committed);
  EXPECT_EQ(committed.error().code, Errc::data);
  EXPECT_THAT(committed.error().message,
              HasSubstr("contradict themselves (CHECK constraint failed: open_parents >= 0"));
}

}  // namespace
}  // namespace dl

// A sheet of results or errors carries the DSP's ids: a row whose own ids a spreadsheet has changed
// is not taken for a new one. Through the real program.
#include <gmock/gmock.h>

#include "program.h"

namespace dl {
namespace {

using ::testing::HasSubstr;
using ::testing::Not;

std::string replaced(std::string text, std::string_view what, std::string_view by) {
  for (std::size_t at = text.find(what); at != std::string::npos;
       at = text.find(what, at + by.size())) {
    text.replace(at, what.size(), by);
  }
  return text;
}

// A campaign 001 that the DSP has, with an ad that has failed, and another campaign.
class DspIds : public ::testing::Test {
 protected:
  DspIds() {
    program.run({"-"},
                sheet_of({row_with(1, "campaign_id", "001"), row_with(1, "campaign_id", "other")}));
    program.as_daemon(
        "UPDATE job SET state = 'succeeded', dsp_id = 'dsp-' || id;"
        "UPDATE job SET state = 'failed', dsp_id = NULL, error = 'bad url' WHERE key = "
        "'001/ag_1001/ad_5001'");
  }
  std::int64_t jobs() const { return std::stoll(program.ask("SELECT count(*) FROM job")); }
  Program program;
};

TEST_F(DspIds, OfRowsAsTheyCameFitTheirJobs) {
  for (const char* format : {"csv", "json", "jsonl"}) {
    const Ran ran = program.run({"-"}, program.run({"results", "1", "--format", format}).out);
    EXPECT_THAT(ran.out, HasSubstr(": 0 new, 6 unchanged (2 rows)\n")) << ran.err;
  }
}

TEST_F(DspIds, KeepARowWithAnotherIdFromBecomingANewOne) {
  const std::string errors = program.run({"errors"}).out;
  const std::string sheet = replaced(errors, "\n001,", "\n1,");
  for (const std::vector<std::string>& how :
       std::vector<std::vector<std::string>>{{"-"}, {"plan", "-"}}) {
    const Ran ran = program.run(how, sheet);
    EXPECT_EQ(ran.exit_code, 65);
    EXPECT_THAT(
        ran.err,
        HasSubstr("stdin:2: campaign_id: id_changed: dl-ingest wrote this row for another id "
                  "(dsp-1 is 001); "
                  "format the id columns as text and enter the id again; for a new campaign empty "
                  "dl_state and dsp_campaign_id, for another database take dl_state and the dsp_ "
                  "columns away: \"1\"\n"));
    EXPECT_THAT(ran.err, Not(HasSubstr("ad_id: id_changed")))
        << "what is below it has no id of its own to go by";
  }
  const std::string json =
      replaced(program.run({"errors", "--format", "json"}).out, "\"001\"", "1");
  const Ran ran = program.run({"-"}, json);
  EXPECT_EQ(ran.exit_code, 65);
  EXPECT_THAT(
      ran.err,
      HasSubstr("campaign_id: id_changed: dl-ingest wrote this row for another id (dsp-1 is 001)"));
  EXPECT_EQ(jobs(), 6);
}

TEST_F(DspIds, KeepARowFromAnotherJobThatIsThere) {
  program.run({"-"}, sheet_of({row_with(1, "campaign_id", "1")}));
  const Ran ran = program.run({"-"}, replaced(program.run({"errors", "1"}).out, "\n001,", "\n1,"));
  EXPECT_EQ(ran.exit_code, 65);
  EXPECT_THAT(ran.err, HasSubstr("another id (dsp-1 is 001)"));
}

// What is left out can be put right: also by whoever loads the rejects as they are, it does not
// become new.
TEST_F(DspIds, AreKnownInAnyFormOfTheirHeaders) {
  program.as_daemon("UPDATE job SET dsp_id = NULL, state = 'failed', error = 'x'");
  const std::string results =
      replaced(program.run({"results", "--format", "csv"}).out, "\n001,", "\n1,");
  for (const char* header : {"DL_STATE", "dl state", "DL-State"}) {
    const Ran ran = program.run({"-"}, replaced(results, "dl_state", header));
    EXPECT_EQ(ran.exit_code, 65) << header;
    EXPECT_THAT(ran.err, HasSubstr("dl-ingest wrote this row for a job that exists"));
    EXPECT_THAT(ran.err, Not(HasSubstr("unknown_column")));
  }
  const std::string json = replaced(program.run({"results", "--format", "jsonl"}).out,
                                    "\"campaign_id\":\"001\"", "\"campaign_id\":\"1\"");
  EXPECT_EQ(program.run({"-"}, replaced(json, "dl_state", "DL_State")).exit_code, 65);
  EXPECT_EQ(jobs(), 6);
}

TEST_F(DspIds, StandInTheRejects) {
  const std::string sheet = replaced(program.run({"results"}).out, "\n001,", "\n1,");
  Ran ran = program.run({"-", "--on-error", "skip-row", "--rejects", "rest.csv"}, sheet);
  EXPECT_THAT(ran.out, HasSubstr("0 new, 3 unchanged (2 rows, 1 left out)")) << ran.err;
  EXPECT_THAT(program.read("rest.csv"),
              HasSubstr(",dl_state,dsp_campaign_id,dsp_ad_group_id,dsp_ad_id,dl_error\n"));
  ran = program.run({"rest.csv"});
  EXPECT_EQ(ran.exit_code, 65) << ran.out;
  EXPECT_EQ(jobs(), 6);
}

TEST_F(DspIds, OfNoJobHereAreAnErrorUntilTheyAreTakenAway) {
  const std::string results = program.run({"results"}).out;
  const Program elsewhere;
  Ran ran = elsewhere.run({"-"}, results);
  EXPECT_EQ(ran.exit_code, 65);
  EXPECT_THAT(ran.err, HasSubstr("stdin:2: campaign_id: id_changed: dl-ingest wrote this row for "
                                 "another id (no job of this "
                                 "database is dsp-1)"));
  elsewhere.run({"-"}, sheet_of({row_with(1, "campaign_id", "001")}));
  ran = elsewhere.run({"-"}, results);
  EXPECT_EQ(ran.exit_code, 65);
  EXPECT_EQ(elsewhere.run({"-"}, replaced(replaced(results, "dsp-1", ""), "dsp-2", "")).exit_code,
            65)
      << "other's are there";
  const std::string without = replaced(replaced(results, "dsp_", "my_"), "dl_state", "my_state");
  EXPECT_THAT(elsewhere.run({"-"}, without).out, HasSubstr("3 new, 3 unchanged"));
}

// It does no harm: the row's own ids say whose it is.
TEST_F(DspIds, ThatASpreadsheetWroteAsNumbersStillFit) {
  program.as_daemon(
      "UPDATE job SET dsp_id = '120210000000000001' WHERE key = '001'; UPDATE job SET dsp_id = "
      "'0042' WHERE key = 'other'");
  const std::string results = program.run({"results"}).out;
  const std::string shown =
      replaced(replaced(results, "120210000000000001", "1.2021E+17"), ",0042,", ",42,");
  EXPECT_NE(shown, results);
  EXPECT_THAT(program.run({"-"}, shown).out, HasSubstr("0 new, 6 unchanged")) << shown;
}

// A job that failed after it had an id has none, or another.
TEST_F(DspIds, ThatAJobHadBeforeStillFit) {
  const std::string before = program.run({"results"}).out;
  program.as_daemon(
      "INSERT INTO request (job_id, attempt, purpose, method, path, instance_id, worker, sent_at, "
      "sent_boot_ms, finished_at, "
      "slot, dsp_id, resolution) SELECT id, 1, 'create', 'POST', '/campaigns', 1, 0, 1, 1, 2, "
      "'answered', dsp_id, 'accepted' "
      "FROM job WHERE key = 'other'; UPDATE job SET dsp_id = 'dsp-new' WHERE key = 'other'");
  EXPECT_THAT(program.run({"-"}, before).out, HasSubstr("0 new, 6 unchanged"));
}

TEST_F(DspIds, DefusedForASpreadsheetFit) {
  program.as_daemon("UPDATE job SET dsp_id = '=1+1' WHERE key = '001'");
  const std::string results = program.run({"results"}).out;
  EXPECT_THAT(results, HasSubstr(",'=1+1,"));
  EXPECT_THAT(program.run({"-"}, results).out, HasSubstr("0 new, 6 unchanged"));
}

// 900001 passed for 900002.
TEST_F(DspIds, OfNeighboursAreTwo) {
  const auto named = [&](const std::string& a, const std::string& b) {
    program.as_daemon("UPDATE job SET dsp_id = '" + a +
                      "' WHERE key = '001';"
                      "UPDATE job SET dsp_id = '" +
                      b + "' WHERE key = 'other'");
    return program.run({"results"}).out;
  };
  const auto codes = [&](const std::string& sheet) {
    const Ran ran = program.run({"plan", "-"}, sheet);
    return ran.exit_code == 65 && ran.err.find("id_changed") != std::string::npos ? "other"
                                                                                  : "same";
  };
  std::string results = named("900001", "900002");
  EXPECT_STREQ(codes(replaced(results, ",900002,", ",900001,")), "other");
  EXPECT_STREQ(codes(replaced(results, ",900002,", ",0900002,")), "same");
  EXPECT_STREQ(codes(replaced(results, ",900002,", ",9.00002E+05,")), "same");
  EXPECT_STREQ(codes(replaced(results, ",900002,", ",9.00001E+05,")), "other");
  results = named("120210000000000001", "120210000000000002");
  const auto shown_as = [&](const std::string& cell) {
    return codes(replaced(results, ",120210000000000002,", "," + cell + ","));
  };
  EXPECT_STREQ(shown_as("120210000000000001"), "other");
  for (const char* same : {"120210000000000000", "1.2021E+17", "\"1,2021E+17\"", "1.2e17"})
    EXPECT_STREQ(shown_as(same), "same") << same;
  for (const char* other :
       {"120210000000001000", "12021000000000000", "1.2022E+17", "1.2021E+16",
        "1.20210000000000001E+17", "1.2021E+99999999999", "0E+20", "E+17", "1.2021E-17"})
    EXPECT_STREQ(shown_as(other), "other") << other;
}

// Nothing of the row had an id at the DSP, and it became a new campaign.
TEST_F(DspIds, AreNotNeededWhereTheRowHasItsState) {
  program.as_daemon(
      "UPDATE job SET state = 'failed', dsp_id = NULL, error = 'x' WHERE key LIKE '001%'");
  const std::string sheet = replaced(program.run({"errors"}).out, "\n001,", "\n1,");
  const std::string json =
      replaced(program.run({"errors", "--format", "json"}).out, "\"001\"", "1");
  for (const std::string& text : {sheet, json}) {
    for (const std::vector<std::string>& how :
         std::vector<std::vector<std::string>>{{"-"}, {"plan", "-"}}) {
      const Ran ran = program.run(how, text);
      EXPECT_EQ(ran.exit_code, 65);
      EXPECT_THAT(
          ran.err,
          HasSubstr("campaign_id: id_changed: dl-ingest wrote this row for a job that exists, and "
                    "no job of this database is 1; format the id columns as text and enter the id "
                    "again; for a new campaign empty dl_state and dsp_campaign_id, for another "
                    "database take dl_state and the dsp_ columns away: \"1\"\n"));
    }
  }
  EXPECT_EQ(jobs(), 6);
}

TEST_F(DspIds, AreNotNeededOfTheHighestThatIsUnknown) {
  const std::string errors = program.run({"errors"}).out;
  EXPECT_THAT(errors, HasSubstr(",failed,dsp-1,dsp-2,,"));
  Ran ran = program.run({"-"}, replaced(errors, ",ad_5001,", ",5001,"));
  EXPECT_EQ(ran.exit_code, 65);
  EXPECT_THAT(ran.err, HasSubstr(":2: ad_id: id_changed: dl-ingest wrote this row for a job that "
                                 "exists, and no job of this database is 001/ag_1001/5001; "));
  ran = program.run({"-"}, replaced(replaced(errors, ",ad_5001,", ",5001,"), ",failed,", ",,"));
  EXPECT_THAT(ran.out, HasSubstr(": 1 new, 2 unchanged (1 row)\n")) << "a new one, as told";
  EXPECT_EQ(jobs(), 7);
}

// All states that a job without an id can have.
TEST_F(DspIds, AreNotNeededInAnyState) {
  for (const char* state : {"blocked", "ready", "in_doubt", "failed", "cancelled"}) {
    program.as_daemon("UPDATE job SET state = '" + std::string(state) +
                      "', dsp_id = NULL WHERE key LIKE '%/%'");
    const std::string results = program.run({"results"}).out;
    EXPECT_EQ(program.run({"-"}, replaced(results, ",ag_1001,", ",1001,")).exit_code, 65) << state;
    EXPECT_THAT(program.run({"-"}, results).out, HasSubstr(": 0 new, 6 unchanged (2 rows)\n"));
  }
  const std::string before = program.run({"results"}).out;
  program.as_daemon(
      "UPDATE job SET state = 'failed', archived_at = 1; UPDATE job_payload SET body = ''");
  EXPECT_THAT(program.run({"-"}, before).out, HasSubstr(": 0 new, 6 unchanged")) << "archived";
  EXPECT_THAT(program.run({"-"}, program.run({"results"}).out).out,
              HasSubstr(": 0 new, 6 unchanged"));
  EXPECT_EQ(jobs(), 6);
}

TEST_F(DspIds, AreNotNeededToLeaveARowOut) {
  program.as_daemon(
      "UPDATE job SET state = 'failed', dsp_id = NULL, error = 'x' WHERE key LIKE '001%'");
  const std::string csv = replaced(program.run({"results"}).out, "\n001,", "\n1,");
  const std::string jsonl =
      replaced(program.run({"results", "--format", "jsonl"}).out, "\"001\"", "1");
  for (const std::string& sheet : {csv, jsonl}) {
    for (const char* policy : {"skip-row", "skip-subtree"}) {
      Ran ran = program.run({"-", "--on-error", policy, "--rejects", "rest"}, sheet);
      EXPECT_THAT(ran.out, HasSubstr("0 new, 3 unchanged (2 rows, 1 left out)")) << ran.err;
      ran = program.run({"rest"});
      EXPECT_EQ(ran.exit_code, 65) << program.read("rest");
      EXPECT_THAT(ran.err, HasSubstr("campaign_id: id_changed: ")) << "as they are, they stay out";
      std::filesystem::remove(program.path("rest"));
    }
  }
  EXPECT_EQ(jobs(), 6);
}

// A cell of the user's reached the terminal as it was, with all its bytes.
TEST_F(DspIds, AreToldEscapedAndCut) {
  const std::string results = program.run({"results"}).out;
  Ran ran = program.run({"-"}, replaced(results, "dsp-1,", "\x1b[31m,"));
  EXPECT_EQ(ran.exit_code, 65);
  EXPECT_THAT(ran.err, HasSubstr("(this one is dsp-1 at the DSP, not \\x1b[31m)"));
  ran = program.run({"-"}, replaced(results, "dsp-1,", std::string(500'000, 'x') + ","));
  EXPECT_EQ(ran.exit_code, 65);
  EXPECT_THAT(ran.err, HasSubstr("xxx... (500000 bytes))"));
  EXPECT_LT(ran.err.size(), 2'000U);
  program.as_daemon("UPDATE job SET dsp_id = 'a' || char(27) || 'b' WHERE key = '001'");
  ran = program.run({"-"}, results);
  EXPECT_THAT(ran.err, HasSubstr("(this one is a\\x1bb at the DSP, not dsp-1)"));
  program.as_daemon("UPDATE job SET dsp_id = 'd' WHERE key = 'other'");
  ran = program.run({"-"}, replaced(results, "dsp-1,", "d,"));
  EXPECT_THAT(ran.err, HasSubstr("(d is other)"));
  EXPECT_EQ(ran.err.find('\x1b'), std::string::npos);
}

}  // namespace
}  // namespace dl

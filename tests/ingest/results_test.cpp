// What goes back to the user, through the real program.
#include <gtest/gtest.h>

#include "ingest/sheet_writer.h"
#include "program.h"
#include "tests/support/tree.h"

namespace dl {
namespace {

const std::string kSample = in_tree("examples/sample.csv");

// The sheet without the columns that results added.
std::string users_part(const std::string& sheet, const std::string& line_end) {
  std::string text;
  std::size_t begin = 0;
  while (begin < sheet.size()) {
    const std::size_t end = sheet.find(line_end, begin);
    std::string line = sheet.substr(begin, end - begin);
    for (int i = 0; i < 6; ++i) line.erase(line.rfind(','));
    text += line + line_end;
    begin = end + line_end.size();
  }
  return text;
}

TEST(Results, GiveTheSampleBackByteForByte) {
  Program program;
  program.run({kSample});
  const Ran ran = program.run({"results"});
  EXPECT_EQ(ran.exit_code, 0) << ran.err;
  EXPECT_EQ(users_part(ran.out, "\r\n"), sample());
}

TEST(Results, GiveOddSheetsBackByteForByte) {
  // Extra columns, other order and names, odd forms of numbers, quoted line breaks, a repeated row.
  const std::string sheet =
      "note,AD_ID,ad type,creative_url,click_url,ad_status,Campaign "
      "ID,campaign_name,campaign_budget,start_date,"
      "end_date,objective,ad_group_id,ad_group_name,bid,targeting_ages,targeting_interests,"
      "targeting_geo\n"
      "\"first,\n\"\"best\"\"\", a1 "
      ",banner,https://x.com/1,https://x.com/2,new,c/1,\"two, words\",0100.50,2025-01-01,"
      "2025-01-31,reach,g%1,caf\xC3\xA9,2.50,,,\n"
      ",a1,banner,https://x.com/1,https://x.com/2,new,c/"
      "1,\"two, words\",100.5,2025-01-01,2025-01-31,reach,g%1,"
      "caf\xC3\xA9,2.5,,,\n";
  Program program;
  const Ran loaded = program.run({"-"}, sheet);
  EXPECT_EQ(loaded.out, "stdin: batch 1: 3 new, 0 unchanged (2 rows)\n") << loaded.err;
  const Ran ran = program.run({"results"});
  std::string expected = sheet;
  for (const std::string& end :
       {std::string("targeting_geo\n"), std::string("2.50,,,\n"), std::string("2.5,,,\n")}) {
    const std::string added =
        end[0] == 't' ? ",dl_state,dsp_campaign_id,dsp_ad_group_id,dsp_ad_id,dl_error,dl_attempts"
                      : ",blocked,,,,,0";
    expected.replace(expected.find(end), end.size(), end.substr(0, end.size() - 1) + added + "\n");
  }
  EXPECT_EQ(ran.out, expected);
  EXPECT_EQ(program.run({"-"}, ran.out).out, "stdin: batch 2: 0 new, 3 unchanged (2 rows)\n");
  EXPECT_EQ(program.run({"results"}).out, ran.out);
}

TEST(Results, KeepAColumnThatBeginsAsOursDo) {
  const Program program;
  const Ran loaded =
      program.run({"-"}, sample_lines()[0] + ",dl_link\n" + sample_lines()[1] + ",mine\n");
  EXPECT_NE(loaded.err.find("this column is not used: \"dl_link\" (warning)"), std::string::npos)
      << loaded.err;
  const std::string out = program.run({"results"}).out;
  EXPECT_NE(out.find(",dl_link,dl_state,"), std::string::npos) << out;
  EXPECT_NE(out.find(",mine,blocked,"), std::string::npos) << out;
}

TEST(Results, KeepOfARowOnlyWhatItsJobsHaveInAnotherForm) {
  Program program;
  program.run({"-"}, sheet_of({row_with(1, "bid", "2.50"), row_with(2, "bid", "2.5")}));
  EXPECT_EQ(program.ask("SELECT raw FROM batch_row WHERE row = 1"), R"({"8":"2.50"})");
  EXPECT_EQ(program.ask("SELECT raw FROM batch_row WHERE row = 2"), "");
}

TEST(Results, GiveBlanksBackThatTheDspDoesNotGet) {
  Program program;
  std::string row = row_with(1, "campaign_name", " Camp ");
  row.replace(row.rfind(",pending"), 8, ",pending  ");
  program.run({"-"}, sheet_of({row}));
  EXPECT_EQ(program.ask("SELECT json_extract(body, '$.name') FROM job_payload WHERE job_id = 1"),
            "Camp");
  EXPECT_EQ(program.ask("SELECT json_extract(body, '$.status') FROM job_payload WHERE job_id = 3"),
            "pending");
  EXPECT_NE(program.run({"results"}).out.find(row), std::string::npos);
  EXPECT_EQ(program.run({"-"}, sheet_of({row_with(1, "campaign_name", "Camp")})).out,
            "stdin: batch 2: 0 new, 3 unchanged (1 row)\n");
}

TEST(Results, GiveARowBackAsItWasAfterItsJobHasChanged) {
  Program program;
  const std::string odd = row_with(1, "campaign_budget", "15000.00");
  program.run({"-"}, sheet_of({odd}));
  const std::string before = program.run({"results", "1"}).out;
  EXPECT_NE(before.find(odd), std::string::npos) << before;
  std::string other = row_with(1, "campaign_name", "Winter");
  other = other.replace(other.find(",15000,"), 7, ",015000,");
  EXPECT_EQ(program.run({"-"}, sheet_of({other})).out,
            "stdin: batch 2: 0 new, 2 unchanged, 1 changed (1 row)\n");
  EXPECT_EQ(users_part(program.run({"results", "1"}).out, "\n"), users_part(before, "\n"));
  EXPECT_NE(program.run({"results", "2"}).out.find(other), std::string::npos);
  program.as_daemon("UPDATE job SET state = 'confirming', dsp_id = 'd1' WHERE id = 1");
  EXPECT_EQ(program.run({"-"}, sheet_of({odd})).out,
            "stdin: batch 3: 0 new, 2 unchanged, 1 in conflict (1 row)\n");
  EXPECT_NE(program.run({"results", "3"}).out.find(odd), std::string::npos);
}

TEST(Results, ComeInTheDialectOfTheSheet) {
  std::string sheet = "\xEF\xBB\xBF" + sample_lines()[0] + "\r\n" + sample_lines()[1] + "\r\n";
  for (const char delimiter : {';', '\t'}) {
    std::string text = sheet;
    std::replace(text.begin(), text.end(), ';', '.');
    std::replace(text.begin(), text.end(), ',', delimiter);
    Program program;
    EXPECT_EQ(program.run({"-"}, text).exit_code, 0);
    std::string results = program.run({"results"}).out;
    EXPECT_TRUE(
        results.starts_with("\xEF\xBB\xBF"
                            "campaign_id"));
    std::replace(results.begin(), results.end(), delimiter, ',');
    std::replace(text.begin(), text.end(), delimiter, ',');
    EXPECT_EQ(users_part(results, "\r\n"), text);
  }
}

TEST(Results, CarryTheDspsIdsAndWordsDefused) {
  Program program;
  program.run({kSample});
  program.as_daemon(
      "UPDATE job SET state = 'succeeded', dsp_id = '=1+1' WHERE id = 1;"
      "UPDATE job SET state = 'failed', error = '@boom' WHERE id = 2");
  const Ran ran = program.run({"results"});
  EXPECT_EQ(ran.exit_code, 1);
  EXPECT_NE(ran.out.find(",pending,blocked,'=1+1,,,its ad group is failed: @boom,0\r\n"),
            std::string::npos)
      << ran.out;
  const Ran errors = program.run({"errors"});
  EXPECT_EQ(errors.exit_code, 1);
  EXPECT_EQ(std::count(errors.out.begin(), errors.out.end(), '\n'), 2);
  for (const char* formula : {"-Xy1", "+A1", "-1+2", "-", "-1e5", "=1", "@x", "\tx", "\rx", "\nx",
                              "\uFF1D1+1", "\uFF20x"}) {
    EXPECT_EQ(defused(formula), std::string("'") + formula);
  }
  for (const char* harmless : {"id", "-12", "+7", "", "x=1", "\u00e9", "\uFF21"})
    EXPECT_EQ(defused(harmless), harmless);
}

// No spreadsheet runs JSON, and a program would take the mark for a part of the id.
TEST(Results, InJsonCarryTheDspsIdsAndWordsAsTheyAre) {
  Program program;
  program.run({kSample});
  program.as_daemon(
      "UPDATE job SET state = 'succeeded', dsp_id = '-Xy1' WHERE id = 1;"
      "UPDATE job SET state = 'failed', error = '@boom' WHERE key LIKE '%/ad_5001'");
  for (const char* format : {"json", "jsonl"}) {
    const std::string out = program.run({"results", "--format", format}).out;
    EXPECT_NE(out.find(R"("dsp_campaign_id":"-Xy1")"), std::string::npos) << out;
    EXPECT_NE(program.run({"errors", "--format", format}).out.find(R"("dl_error":"@boom")"),
              std::string::npos);
  }
  EXPECT_NE(program.run({"results", "--format", "csv"}).out.find(",'-Xy1,"), std::string::npos);
}

// They wait for a person, whatever else still moves.
TEST(Results, EndWith1WhereRowsWaitBehindADoubtOrACancelledParent) {
  Program program;
  program.run({"-"}, sheet_of({sample_lines()[6]}));
  EXPECT_EQ(program.run({"results"}).exit_code, 0);
  program.as_daemon("UPDATE job SET state = 'in_doubt' WHERE kind = 'campaign'");
  Ran ran = program.run({"results"});
  EXPECT_EQ(ran.exit_code, 1) << ran.out;
  EXPECT_NE(ran.out.find(",blocked,,,,its campaign is in_doubt,0"), std::string::npos) << ran.out;
  program.as_daemon("UPDATE job SET state = 'cancelled' WHERE kind = 'campaign'");
  EXPECT_EQ(program.run({"results"}).exit_code, 1);
  program.as_daemon(
      "UPDATE job SET state = 'succeeded', dsp_id = 'd' WHERE kind = 'campaign';"
      "UPDATE job SET state = 'cancelled' WHERE kind = 'ad_group'");
  EXPECT_EQ(program.run({"results"}).exit_code, 1);
  program.as_daemon("UPDATE job SET state = 'cancelled' WHERE kind = 'ad'");
  EXPECT_EQ(program.run({"results"}).exit_code, 0) << "what was cancelled is done";
}

// What the DSP has is not what the sheet says, however well all went.
TEST(Results, OfRowsInConflictSayWhatTheDspHasAndEndWith1) {
  Program program;
  program.run({"-"}, sheet_of({row_with(1, "campaign_budget", "10"), sample_lines()[6]}));
  program.as_daemon(
      "UPDATE job SET state = 'succeeded', dsp_id = 'dsp-' || id; DELETE FROM job_count;"
      "INSERT INTO job_count SELECT batch_id, kind, state, count(*) FROM job GROUP BY 1, 2, 3");
  EXPECT_EQ(
      program.run({"-"}, sheet_of({row_with(1, "campaign_budget", "099.00"), sample_lines()[6]}))
          .exit_code,
      1);
  Ran ran = program.run({"results"});
  EXPECT_EQ(ran.exit_code, 1);
  EXPECT_NE(ran.out.find(",099.00,"), std::string::npos) << ran.out;
  EXPECT_NE(ran.out.find(",succeeded,dsp-1,dsp-2,dsp-5,campaign_budget at the DSP: 10 (the sheet "
                         "says 099.00),0\n"),
            std::string::npos)
      << ran.out;
  EXPECT_EQ(std::count(ran.out.begin(), ran.out.end(), '('), 1)
      << "the other row is as it should be";
  ran = program.run({"status", "2"});
  EXPECT_EQ(ran.exit_code, 1);
  EXPECT_NE(ran.out.find("2 succeeded\n1 row with other values than the DSP has or gets, in "
                         "conflict: dl-ingest results 2\n"
                         "nothing moves any more: see dl-ingest results 2\n"),
            std::string::npos)
      << ran.out;
  EXPECT_EQ(program.run({"results", "1"}).exit_code, 0);
  EXPECT_EQ(program.run({"status", "1"}).exit_code, 0);
}

// The same when what the DSP has is in the archive.
TEST(Results, OfRowsInConflictWithArchivedJobsSaySo) {
  Program program;
  program.run({"-"}, sheet_of({row_with(1, "bid", "10")}));
  program.as_daemon("UPDATE job SET state = 'succeeded', dsp_id = 'dsp-' || id");
  program.as_daemon("UPDATE job SET archived_at = 1; UPDATE job_payload SET body = ''");
  program.run({"-"}, sheet_of({row_with(1, "bid", "10.0")}));
  Ran ran = program.run({"results"});
  EXPECT_EQ(ran.exit_code, 0);
  EXPECT_NE(ran.out.find(",succeeded,dsp-1,dsp-2,dsp-3,,\n"), std::string::npos)
      << "the attempts are in the archive, and nobody here knows how many: " << ran.out;
  program.run({"-"}, sheet_of({row_with(1, "bid", "11")}));
  ran = program.run({"results"});
  EXPECT_EQ(ran.exit_code, 1);
  EXPECT_NE(
      ran.out.find(",ad_group at the DSP: other values than the sheet says (they are archived),\n"),
      std::string::npos)
      << ran.out;
}

// It is as the user wanted, and yet not what this sheet says.
TEST(Results, OfRowsThatALaterSheetChangedSayWhatIsSentAndEndWith0) {
  Program program;
  program.run({"-"}, sheet_of({row_with(1, "campaign_budget", "10")}));
  program.run({"-"}, sheet_of({row_with(1, "campaign_budget", "99")}));
  Ran ran = program.run({"results", "1"});
  EXPECT_EQ(ran.exit_code, 0);
  EXPECT_NE(ran.out.find(",10,"), std::string::npos) << ran.out;
  EXPECT_NE(ran.out.find(",campaign_budget in the job: 99 (the sheet says 10),0\n"),
            std::string::npos)
      << ran.out;
  EXPECT_EQ(program.run({"results", "2"}).out.find("(the sheet"), std::string::npos);
  ran = program.run({"status", "1"});
  EXPECT_EQ(ran.exit_code, 0);
  EXPECT_NE(ran.out.find("1 row with other values than the DSP has or gets, by later sheets: "
                         "dl-ingest results 1\n"),
            std::string::npos)
      << ran.out;
  EXPECT_EQ(program.run({"status", "2"}).out.find("other values"), std::string::npos);
}

TEST(Results, OfNothingAreAnError) {
  Program program;
  EXPECT_EQ(program.run({"results"}).exit_code, 66);
  program.run({kSample});
  const Ran ran = program.run({"results", "7"});
  EXPECT_EQ(ran.exit_code, 66);
  EXPECT_EQ(ran.err, "dl-ingest: jobs.db: there is no batch 7 in it\n");
}

TEST(Status, CountsByKindAndStateAndSaysWhatIsToCome) {
  Program program;
  program.run({kSample});
  Ran ran = program.run({"status"});
  EXPECT_EQ(ran.exit_code, 0);
  EXPECT_EQ(ran.out,
            "                blocked       ready\n"
            "  campaign            0           6\n"
            "  ad_group            8           0\n"
            "  ad                  9           0\n"
            "0 of 23 succeeded (0 %)\nno estimate yet: dl-daemon makes it\n");
  program.as_daemon("UPDATE job_count SET state = 'failed' WHERE state = 'ready'");
  ran = program.run({"status", "--watch"});
  EXPECT_EQ(ran.exit_code, 1);
  EXPECT_NE(ran.out.find("nothing moves any more"), std::string::npos) << ran.out;
}

TEST(Plan, SaysWhatLoadingWouldDoAndWritesNothing) {
  Program program;
  Ran ran = program.run({"plan", kSample});
  EXPECT_EQ(ran.exit_code, 0) << ran.err;
  EXPECT_NE(ran.out.find("  at least 46 requests, about 60 s at 40 requests in 60 s"),
            std::string::npos)
      << ran.out;
  EXPECT_FALSE(program.has_database());
  program.run({kSample});
  program.as_daemon(
      "UPDATE job SET state = 'confirming', dsp_id = 'd1' WHERE key = 'cmp_2025_002'");
  const std::string sheet = sheet_of(
      {row_with(1, "bid", "9"), row_with(2, "objective", "x"), row_with(3, "ad_id", "new")});
  ran = program.run({"plan", "-"}, sheet);
  EXPECT_EQ(ran.out,
            "stdin:\n"
            "                 create  unchanged     change   conflict\n"
            "  campaign            0          2          0          1\n"
            "  ad_group            0          2          1          0\n"
            "  ad                  1          2          0          0\n"
            "  at least 4 requests, about 0 s at 40 requests in 60 s, plus the DSP's processing\n");
  EXPECT_NE(ran.err.find("stdin:3: campaign_id: conflict: "), std::string::npos) << ran.err;
}

TEST(Template, IsACorrectSheet) {
  Program program;
  const Ran ran = program.run({"template"});
  EXPECT_EQ(program.run({"check", "-"}, ran.out).out, "stdin: 1 row, 0 errors\n");
  EXPECT_EQ(program.run({"check", "-"}, program.run({"template", "--format", "json"}).out).out,
            "stdin: 1 row, 0 errors\n");
}

TEST(CommandLine, MapsWrongUseTo64) {
  Program program;
  for (const std::vector<std::string>& args : std::vector<std::vector<std::string>>{
           {},
           {"--bogus"},
           {"check"},
           {"results", "x"},
           {"--format", "xml", "a"},
           {"--on-error", "panic", "a"},
           {"a", "--line", "{}"},
           {"a", "--rejects", "r"},
           {"a", "b", "--rejects", "r", "--on-error", "skip-row"}}) {
    EXPECT_EQ(program.run(args).exit_code, 64);
  }
  EXPECT_EQ(program.run({"--help"}).exit_code, 0);
  EXPECT_NE(program.run({"status", "--help"}).out.find("Also: --db"), std::string::npos);
  const Ran version = program.run({"--version"});
  EXPECT_EQ(version.exit_code, 0);
  EXPECT_TRUE(version.out.starts_with("dl-ingest 0.1.0\n  SQLite ")) << version.out;
  for (const char* said :
       {"\n  Boost ", "\n  toml++ ", "\n  RapidJSON ", "\n  libcsv ", "\n  CLI11 "}) {
    EXPECT_NE(version.out.find(said), std::string::npos) << said << version.out;
  }
}

}  // namespace
}  // namespace dl

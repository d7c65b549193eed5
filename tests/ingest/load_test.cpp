// Loading, through the real program.
#include <gtest/gtest.h>

#include <random>

#include "program.h"
#include "storage/ingest_lock.h"
#include "tests/support/tree.h"

namespace dl {
namespace {

const std::string kSample = in_tree("examples/sample.csv");

TEST(Load, MakesTwentyThreeJobsOfTheSample) {
  Program program;
  const Ran ran = program.run({kSample});
  EXPECT_EQ(ran.exit_code, 0) << ran.err;
  EXPECT_EQ(ran.out, kSample + ": batch 1: 23 new, 0 unchanged (9 rows)\n");
  EXPECT_EQ(program.ask("SELECT group_concat(kind || ' ' || n) FROM (SELECT kind, count(*) n FROM "
                        "job GROUP BY kind)"),
            "ad 9,ad_group 8,campaign 6");
  EXPECT_EQ(program.ask("SELECT count(*) FROM job WHERE state = 'ready' AND kind = 'campaign' AND "
                        "open_parents = 0"),
            "6");
  EXPECT_EQ(program.ask("SELECT count(*) FROM job WHERE state = 'blocked' AND kind <> 'campaign' "
                        "AND open_parents = 1"),
            "17");
  EXPECT_EQ(
      program.ask(
          "SELECT count(*) FROM job_edge e JOIN job p ON p.id = e.parent_id JOIN job c ON c.id = "
          "e.child_id WHERE c.level = p.level + 1 AND c.root_id = p.root_id AND p.id < c.id"),
      "17");
  EXPECT_EQ(program.ask("SELECT group_concat(kind || ' ' || state || ' ' || n) FROM (SELECT * FROM "
                        "job_count WHERE n > 0 "
                        "ORDER BY kind, state)"),
            "ad blocked 9,ad_group blocked 8,campaign ready 6");
  EXPECT_EQ(program.ask("SELECT count(*) FROM job_history WHERE rule_id = 1"), "6");
  EXPECT_EQ(program.ask("SELECT state || row_count || new_count FROM batch"), "loaded923");
  EXPECT_EQ(program.ask("SELECT actor FROM writer"), "");
}

TEST(Load, StoresBodiesWithoutParentsAndWithExactMoney) {
  Program program;
  program.run({kSample});
  EXPECT_EQ(program.ask(
                "SELECT body FROM job_payload JOIN job ON id = job_id WHERE key = 'cmp_2025_004'"),
            R"({"id":"cmp_2025_004","name":"Autumn Styles 2024","budget":21000,)"
            R"("start_date":"2024-09-01",)"
            R"("end_date":"2024-10-15","objective":"video_views"})");
  EXPECT_EQ(program.ask("SELECT body FROM job_payload JOIN job ON id = job_id WHERE key = "
                        "'cmp_2025_004/ag_1003'"),
            R"({"id":"ag_1003","name":"Adults - City","bid":4,"targeting":{"ages":"35-44;45-64",)"
            R"("interests":"fashion;streetwear","geo":"UK;IE"}})");
  EXPECT_EQ(program.ask("SELECT body FROM job_payload JOIN job ON id = job_id WHERE key = "
                        "'cmp_2025_004/ag_1003/ad_6001'"),
            R"({"id":"ad_6001","type":"video",)"
            R"("creative_url":"https://cdn.example.com/creatives/autumn_style_city.jpg",)"
            R"("click_url":"https://shop.example.com/city-autumn","status":"new"})");
}

TEST(Load, OfTheSameFileAgainCreatesNothing) {
  Program program;
  program.run({kSample});
  const std::string jobs = program.ask("SELECT group_concat(key || state || updated_at) FROM job");
  const Ran again = program.run({kSample});
  EXPECT_EQ(again.exit_code, 0);
  EXPECT_EQ(again.out, kSample + ": batch 2: 0 new, 23 unchanged (9 rows)\n");
  EXPECT_EQ(program.ask("SELECT group_concat(key || state || updated_at) FROM job"), jobs);
  EXPECT_EQ(program.ask("SELECT count(*) FROM job_history"), "6");
}

TEST(Load, TakesTheSameTableHoweverItIsSaved) {
  const std::vector<std::string> lines = sample_lines();
  std::string semicolons;
  std::string tabs;
  std::string crlf = "\xEF\xBB\xBF";
  std::string quoted;
  for (const std::string& line : lines) {
    std::string piece = line;
    std::replace(piece.begin(), piece.end(), ',', '\t');
    tabs += piece + "\n";
    crlf += line + "\r\n";
    std::string cells = "\"";
    std::string semis = "\"";
    for (const char c : line) {
      cells += c == ',' ? "\",\"" : std::string(1, c);
      semis += c == ',' ? "\";\"" : std::string(1, c);
    }
    quoted += cells + "\"\n";
    semicolons += semis + "\"\n\n";
  }
  std::string renamed = sample();
  renamed.replace(0, lines[0].size(),
                  "Campaign ID,CAMPAIGN-NAME,Campaign Budget,StartDate,End Date,Objective,Ad Group "
                  "Id,ad group name,"
                  "Bid,targeting-ages,Targeting Interests,Targeting Geo,AD_ID,Ad "
                  "Type,CreativeUrl,click url,adstatus");
  Program program;
  program.run({kSample});
  for (const std::string& text :
       {semicolons, tabs, crlf, quoted, renamed, sample() + ",,,,,,,,,,,,,,,,\r\n"}) {
    const Ran ran = program.run({program.write("in", text)});
    EXPECT_EQ(ran.exit_code, 0) << ran.err;
    EXPECT_NE(ran.out.find("0 new, 23 unchanged (9 rows)"), std::string::npos)
        << ran.out << ran.err;
  }
}

TEST(Load, TakesStdinALineNestedJsonAndJsonLinesForTheSameThing) {
  Program program;
  const Ran first = program.run({in_tree("examples/campaign.json")});
  EXPECT_EQ(first.exit_code, 0) << first.err;
  EXPECT_NE(first.out.find("batch 1: 6 new, 0 unchanged (3 rows)"), std::string::npos) << first.out;
  std::string json;
  {
    std::string pretty = program.read(in_tree("examples/campaign.json"));
    for (const char c : pretty) json += c == '\n' ? ' ' : c;
  }
  EXPECT_NE(program.run({"--line", json}).out.find("--line: batch 2: 0 new, 6 unchanged"),
            std::string::npos);
  EXPECT_NE(program.run({"-"}, json).out.find("stdin: batch 3: 0 new, 6 unchanged"),
            std::string::npos);
  EXPECT_NE(
      program.run({"-"}, "[" + json + "," + json + "]").out.find("0 new, 6 unchanged (6 rows)"),
      std::string::npos);
  EXPECT_NE(program.run({"-"}, json + "\n\n" + json + "\n").out.find("0 new, 6 unchanged (6 rows)"),
            std::string::npos);
  EXPECT_EQ(program.ask("SELECT group_concat(format) FROM batch"), "json,json,json,json,jsonl");
  const Ran flat = program.run({"results", "--format", "jsonl"});
  EXPECT_NE(program.run({"-"}, flat.out).out.find("0 new, 6 unchanged (6 rows)"),
            std::string::npos);
  EXPECT_NE(
      program.run({in_tree("examples/campaigns.jsonl")}).out.find("7 new, 0 unchanged (3 rows)"),
      std::string::npos);
}

TEST(Load, TakesACampaignWithoutAdGroupsAndAnAdGroupWithoutAds) {
  Program program;
  const std::string head =
      R"({"campaign_id":"c","campaign_name":"n","campaign_budget":0.10,"start_date":"2025-01-01",)"
      R"("end_date":"2025-01-01","objective":"o")";
  EXPECT_EQ(program.run({"--line", head + "}"}).out,
            "--line: batch 1: 1 new, 0 unchanged (1 row)\n");
  EXPECT_EQ(
      program.run({"--line", head + R"(,"ad_groups":[{"id":"g","name":"n","bid":"1.50"}]})"}).out,
      "--line: batch 2: 1 new, 1 unchanged (1 row)\n");
  EXPECT_EQ(program.ask("SELECT body FROM job_payload WHERE job_id = 2"),
            R"({"id":"g","name":"n","bid":1.5,"targeting":{"ages":"","interests":"","geo":""}})");
}

TEST(Load, CountsARepeatedAdOnce) {
  Program program;
  const Ran ran =
      program.run({"-"}, sheet_of({sample_lines()[1], sample_lines()[1], sample_lines()[1]}));
  EXPECT_EQ(ran.out, "stdin: batch 1: 3 new, 0 unchanged (3 rows)\n");
  EXPECT_EQ(program.ask("SELECT count(DISTINCT job_id) || '/' || count(*) FROM batch_row"), "1/3");
}

TEST(Load, KeepsCampaignsApartThatShareAnAdGroupsId) {
  Program program;
  program.run({kSample});
  EXPECT_EQ(
      program.ask("SELECT count(*) FROM job WHERE kind = 'ad_group' AND key LIKE '%/ag_1001'"),
      "2");
}

TEST(Load, AddsChildrenToAParentThatIsThereAlready) {
  Program program;
  program.run({"-"}, sheet_of({sample_lines()[6]}));
  program.as_daemon("UPDATE job SET state = 'succeeded', dsp_id = 'd' || id WHERE id IN (1, 2)");
  const Ran ran =
      program.run({"-", "--priority", "-5"}, sheet_of({sample_lines()[7], sample_lines()[8]}));
  EXPECT_EQ(ran.out, "stdin: batch 2: 3 new, 2 unchanged (2 rows)\n") << ran.err;
  EXPECT_EQ(program.ask("SELECT group_concat(key || ' ' || state || ' ' || open_parents || ' ' || "
                        "priority, ', ') FROM (SELECT * FROM job WHERE id > 3 ORDER BY key)"),
            "cmp_2025_multi_01/ag_3001/ad_9002 ready 0 -5, cmp_2025_multi_01/ag_3002 ready 0 -5, "
            "cmp_2025_multi_01/ag_3002/ad_9003 blocked 1 -5");
  EXPECT_EQ(program.ask("SELECT group_concat(job_id) FROM job_history WHERE rule_id = 1"), "1,4,5");
}

TEST(Load, GivesNewChildrenThePriorityOfTheirCampaignWhereTheBatchNamesNone) {
  Program program;
  program.run({"-", "--priority", "3"}, sheet_of({sample_lines()[6]}));
  program.as_daemon("UPDATE job SET priority = -7");
  program.run({"-"}, sheet_of({sample_lines()[7], sample_lines()[8], sample_lines()[1]}));
  EXPECT_EQ(
      program.ask(
          "SELECT group_concat(DISTINCT priority) FROM job WHERE key LIKE 'cmp_2025_multi_01%'"),
      "-7");
  EXPECT_EQ(
      program.ask("SELECT group_concat(DISTINCT priority) FROM job WHERE key LIKE 'cmp_2025_001%'"),
      "0");
  EXPECT_EQ(program.ask("SELECT group_concat(priority) FROM batch"), "3,0");
}

TEST(Load, ChangesAJobThatTheDspDoesNotKnowYet) {
  Program program;
  program.run({kSample});
  const Ran ran = program.run({"-"}, sheet_of({row_with(1, "campaign_budget", "16000")}));
  EXPECT_EQ(ran.exit_code, 0) << ran.err;
  EXPECT_EQ(ran.out, "stdin: batch 2: 0 new, 2 unchanged, 1 changed (1 row)\n");
  EXPECT_EQ(program.ask("SELECT body LIKE '%\"budget\":16000,%' FROM job_payload WHERE job_id = 1"),
            "1");
  EXPECT_EQ(program.ask("SELECT attempt || state FROM job WHERE id = 1"), "1ready");
  const Ran old = program.run({"results", "1"});
  EXPECT_NE(old.out.find("cmp_2025_001,Summer Styles 2025,15000,"), std::string::npos) << old.out;
  const Ran now = program.run({"results", "2"});
  EXPECT_NE(now.out.find("cmp_2025_001,Summer Styles 2025,16000,"), std::string::npos) << now.out;
}

TEST(Load, ReportsAChangeOfWhatIsSubmittedAsAConflict) {
  Program program;
  program.run({kSample});
  program.as_daemon("UPDATE job SET state = 'confirming', dsp_id = 'd1' WHERE id = 1");
  const std::string sheet = sheet_of({row_with(1, "campaign_budget", "16000")});
  const Ran ran = program.run({program.write("in", sheet)});
  EXPECT_EQ(ran.exit_code, 1);
  EXPECT_EQ(ran.out, "in: batch 2: 0 new, 2 unchanged, 1 in conflict (1 row)\n");
  EXPECT_EQ(ran.err,
            "in:2: campaign_id: conflict: this campaign is confirming already, with other values; "
            "the new ones were not taken over: \"cmp_2025_001\" (warning)\n");
  EXPECT_EQ(program.ask("SELECT body LIKE '%\"budget\":15000,%' FROM job_payload WHERE job_id = 1"),
            "1");
  EXPECT_NE(program.run({"results"}).out.find(",16000,"), std::string::npos);
}

TEST(Load, TriesAFailedJobAgainOnceItsRowIsPutRight) {
  Program program;
  program.run({kSample});
  program.as_daemon(
      "INSERT INTO instance (uuid, pid, host, version, boot_key, machine_id, lock_device, "
      "lock_inode, started_at, "
      "started_boot_ms, stopped_at) VALUES ('u', 1, 'h', 'v', 'b', 'm', 1, 1, 1, 1, 1);"
      "INSERT INTO request (job_id, attempt, purpose, method, path, instance_id, worker, sent_at, "
      "sent_boot_ms, "
      "finished_at, slot, resolution) VALUES (1, 1, 'create', 'POST', '/campaigns', 1, 0, 1, 1, 1, "
      "'answered', 'refused');"
      "UPDATE job SET state = 'failed', error = 'budget too small' WHERE id = 1;"
      "UPDATE job_count SET n = n - 1 WHERE kind = 'campaign' AND state = 'ready';"
      "INSERT INTO job_count VALUES (1, 'campaign', 'failed', 1)");
  const Ran same = program.run({kSample});
  EXPECT_EQ(same.exit_code, 1) << "its rows wait behind it";
  EXPECT_NE(same.err.find("1 of the unchanged have failed"), std::string::npos) << same.err;
  const Ran errors = program.run({"errors"});
  EXPECT_EQ(errors.exit_code, 1);
  EXPECT_NE(errors.out.find("its campaign is failed: budget too small"), std::string::npos)
      << errors.out;
  std::string again = errors.out;
  again.replace(again.find(",15000,"), 7, ",99000,");
  const Ran ran = program.run({"-"}, again);
  EXPECT_EQ(ran.exit_code, 0) << ran.err;
  EXPECT_EQ(ran.out, "stdin: batch 3: 0 new, 2 unchanged, 1 changed (1 row)\n") << ran.err;
  EXPECT_EQ(program.ask("SELECT state || attempt || tries FROM job WHERE id = 1"), "ready20");
  EXPECT_EQ(program.ask("SELECT act || ' ' || why FROM operator_act"),
            "retry new values by batch 3");
}

TEST(Load, LeavesOutRowsOrSubtreesWhenTold) {
  const std::string sheet =
      sheet_of({sample_lines()[1], row_with(6, "ad_type", ""), row_with(7, "bid", "x"),
                sample_lines()[8], sample_lines()[9]});
  Program program;
  Ran ran =
      program.run({program.write("in", sheet), "--on-error", "skip-row", "--rejects", "rest.csv"});
  EXPECT_EQ(ran.exit_code, 1) << ran.err;
  EXPECT_EQ(ran.out, "in: batch 1: 8 new, 0 unchanged (5 rows, 2 left out)\n");
  const std::string rest = program.read("rest.csv");
  EXPECT_EQ(rest, sample_lines()[0] + ",dl_error\n" + row_with(6, "ad_type", "") +
                      ",ad_type: missing_value: a value is needed here\n" +
                      row_with(7, "bid", "x") +
                      ",bid: bad_number: not a decimal number; write 15000 or 2.5\n");
  EXPECT_EQ(program.run({"in", "--on-error", "skip-row", "--rejects", "rest.csv"}).exit_code, 73);
  std::string right = rest;
  right.replace(right.find("ag_3001,Urban Millennials,x"), 27, "ag_3001,Urban Millennials,2.8");
  right.replace(right.find("ad_9001,,"), 9, "ad_9001,banner,");
  EXPECT_EQ(program.run({"-"}, right).out, "stdin: batch 2: 3 new, 1 unchanged (2 rows)\n");
  Program other;
  ran = other.run({other.write("in", sheet), "--on-error", "skip-subtree"});
  EXPECT_EQ(ran.exit_code, 1);
  EXPECT_EQ(ran.out, "in: batch 1: 8 new, 0 unchanged (5 rows, 2 left out)\n") << ran.err;
  ran = other.run(
      {"-", "--on-error", "skip-subtree"},
      sheet_of({row_with(6, "bid", "9"), row_with(7, "objective", "x"), sample_lines()[8]}));
  EXPECT_EQ(ran.out, "stdin: batch 2: 0 new, 0 unchanged (3 rows, 3 left out)\n") << ran.err;
}

TEST(Load, SaysWhatTheRejectsCannotHold) {
  const Program program;
  program.write("in", sheet_of({sample_lines()[1], row_with(6, "ad_type", ""), "a,b",
                                row_with(7, "objective", "say \"x\"")}));
  Ran ran = program.run({"in", "--on-error", "skip-row", "--rejects", "rest.csv"});
  EXPECT_EQ(ran.exit_code, 1);
  EXPECT_EQ(ran.out, "in: batch 1: 3 new, 0 unchanged (4 rows, 3 left out)\n");
  EXPECT_TRUE(ran.err.ends_with(
      "in: 2 rows could not be read and cannot stand in rest.csv: put right what is told above\n"))
      << ran.err;
  const std::string rest = program.read("rest.csv");
  EXPECT_EQ(std::count(rest.begin(), rest.end(), '\n'), 2) << "the header and the row with fields";
  ran = program.run({"in", "--on-error", "skip-row"});
  EXPECT_EQ(ran.out, "in: batch 2: 0 new, 3 unchanged (4 rows, 3 left out)\n");
}

TEST(Load, WaitsForNobodyWhenAnotherLoaderIsAtWork) {
  Program program;
  program.run({kSample});
  Result<IngestLock> lock = IngestLock::take(program.path("jobs.db").string());
  ASSERT_TRUE(lock);
  const Ran ran = program.run({kSample});
  EXPECT_EQ(ran.exit_code, 75);
  EXPECT_EQ(ran.err, "dl-ingest: jobs.db: another dl-ingest is loading; try again\n");
  EXPECT_EQ(program.run({"check", kSample}).exit_code, 0);
}

TEST(Load, OfSeveralFilesGoesOnBehindABadOne) {
  Program program;
  const Ran ran = program.run({program.write("bad.csv", "a,b\n"), kSample});
  EXPECT_EQ(ran.exit_code, 65);
  EXPECT_NE(ran.out.find("23 new"), std::string::npos);
}

// Groups of ads of which some are new, some known, some changed and some fixed: what becomes of
// each must not depend on its neighbours, nor on the order of the rows.
TEST(Load, JudgesEveryAdOfAGroupByItself) {
  const std::string ordered = big_sheet(3);  // 300 ads
  std::vector<std::string> rows;
  for (std::size_t at = ordered.find('\n') + 1; at < ordered.size();) {
    const std::size_t end = ordered.find('\n', at);
    rows.push_back(ordered.substr(at, end - at));
    at = end + 1;
  }
  std::vector<std::string> every_third;
  for (std::size_t i = 0; i < rows.size(); i += 3) every_third.push_back(rows[i]);
  Program program;
  Ran ran = program.run({"-"}, sheet_of(every_third));
  EXPECT_EQ(ran.out, "stdin: batch 1: 118 new, 0 unchanged (100 rows)\n");
  program.as_daemon(
      "UPDATE job SET state = 'succeeded', dsp_id = 'd' || id WHERE kind <> 'ad';"
      "UPDATE job SET open_parents = 0, state = 'confirming', dsp_id = 'd' WHERE key = "
      "'cmp_1/ag_2/ad_1'");

  std::mt19937 random(7);
  std::shuffle(rows.begin(), rows.end(), random);
  for (std::string& row : rows) {
    const bool fixed = row.starts_with("cmp_1,") && row.find(",ag_2,") != std::string::npos &&
                       row.find(",ad_1,") != std::string::npos;
    const bool free = row.starts_with("cmp_0,") && row.find(",ag_0,") != std::string::npos &&
                      row.find(",ad_0,") != std::string::npos;
    if (fixed || free) row.replace(row.find(",banner,"), 8, ",video,");
  }
  ran = program.run({"-"}, sheet_of(rows));
  EXPECT_EQ(ran.out,
            "stdin: batch 2: 200 new, 116 unchanged, 1 changed, 1 in conflict (300 rows)\n");
  EXPECT_NE(ran.err.find("\"cmp_1/ag_2/ad_1\" (warning)"), std::string::npos) << ran.err;
  EXPECT_EQ(program.ask("SELECT count(*) FROM job WHERE kind = 'ad'"), "300");
  EXPECT_EQ(program.ask("SELECT count(*) FROM job_edge"), "315");
  EXPECT_EQ(program.ask(
                "SELECT count(*) FROM job JOIN job_edge ON child_id = job.id JOIN job p ON p.id = "
                "parent_id WHERE job.key LIKE p.key || '/%'"),
            "315");
  EXPECT_EQ(program.ask("SELECT count(*) FROM job WHERE batch_id = 2 AND state = 'ready'"), "200");
  EXPECT_EQ(program.ask("SELECT count(*) FROM job_payload WHERE body LIKE '%\"video\"%'"), "1");
  EXPECT_EQ(program.ask("SELECT count(*) FROM pragma_foreign_key_check"), "0");
  // Both changed rows come back as they were sent, in their place.
  const std::string results = program.run({"results"}).out;
  EXPECT_EQ(std::count(results.begin(), results.end(), '\n'), 301);
  std::size_t at = 0;
  for (const std::string& row : rows) {
    at = results.find(row + ",", at);
    ASSERT_NE(at, std::string::npos) << row;
  }
}

}  // namespace
}  // namespace dl

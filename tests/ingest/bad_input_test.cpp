// Every kind of bad input with its exact words, through the real program.
#include <gtest/gtest.h>

#include "ingest/json_tree.h"
#include "ingest/problem.h"
#include "ingest/survey.h"
#include "program.h"

namespace dl {
namespace {

struct Case {
  const char* name;
  std::string text;
  std::string errors;  // stderr without the last line
  int exit_code = 65;
};

std::string header() { return sample_lines()[0]; }
std::string row(std::size_t i) { return sample_lines()[i]; }
std::string repeated(std::string_view text, int times) {
  std::string all;
  for (int i = 0; i < times; ++i) all += text;
  return all;
}

std::vector<Case> cases() {
  return {
      {"empty", "", "in: file: empty_file: there is nothing in it\n"},
      {"blank lines", "\n\r\n\n", "in: file: empty_file: there is nothing in it\n"},
      {"header only", header() + "\n",
       "in: file: no_rows: there is a header and no row below it\n"},
      {"byte order mark only", "\xEF\xBB\xBF", "in: file: empty_file: there is nothing in it\n"},
      {"missing and repeated column",
       "objective,bid,BID,campaign_id,campaign_name,campaign_budget,start_date,end_date,ad_group_"
       "id,"
       "ad_group_name,targeting_ages,targeting_interests,targeting_geo,ad_id,ad_type,creative_url,"
       "ad_status\nx\n",
       "in:1: bid: repeated_column: columns 2 and 3 of the header are both this one\n"
       "in:1: click_url: missing_column: the header has no such column; dl-ingest template prints "
       "one that has all\n"},
      {"200,000 columns", repeated("c,", 200'000) + "c\n1\n",
       "in:1: header: too_many_columns: 200001 columns; at most 64 are possible\n"},
      {"header of 2 MB", repeated("column,", 300'000) + "\n1\n",
       "in:1: header: record_too_long: is longer than 1 MiB\n"},
      {"field of 2 MB",
       sheet_of({row_with(1, "campaign_name", std::string(2'000'000, 'x')), row(2)}),
       "in:2: row: record_too_long: is longer than 1 MiB\n"},
      {"field of 100 kB", sheet_of({row_with(1, "campaign_name", std::string(100'000, 'x'))}),
       "in:2: campaign_name: field_too_long: longer than 64 KiB: \"" + std::string(80, 'x') +
           "... (100000 bytes)\"\n"},
      {"NUL", sheet_of({row_with(1, "objective", std::string_view("a\0b", 3)), row(2)}),
       "in:2: row: nul_byte: contains a NUL byte; this is not a text file, or it is damaged\n"},
      {"bad UTF-8", sheet_of({row(1), row_with(2, "objective", "caf\xE9")}),
       "in:3: row: bad_utf8: is not UTF-8; export the sheet as \"CSV UTF-8\"\n"},
      {"open quote", sheet_of({row(1), row_with(2, "campaign_id", "\"cmp"), row(3)}),
       "in:3: row: unclosed_quote: opens a quote that is not closed, or only in a row below; the "
       "rows below were read by themselves\n"},
      {"quote in a field", sheet_of({row_with(1, "objective", "say \"x\"")}),
       "in:2: row: bad_quotes: has a quote where none may stand; quote the whole field and double "
       "the quotes in it: \"a \"\"b\"\" c\"\n"},
      {"old line ends", header() + "\r" + row(1) + "\r",
       "in:1: header: stray_return: has a carriage return without a line feed; save the file with "
       "line ends of Windows or Unix\n"},
      {"fields", sheet_of({row(1) + ",more", "a"}),
       "in:2: row: field_count: 18 fields where the header has 17; take away empty cells at the "
       "end; or a field with a delimiter "
       "in it needs quotes around it\n"
       "in:3: row: field_count: 1 field where the header has 17; empty cells at the end need their "
       "delimiters, too; or a field "
       "with a line break in it needs quotes around it\n"},
      {"several errors in several rows",
       sheet_of({row_with(1, "campaign_budget", "abc"), row_with(2, "end_date", "2025-02-30"),
                 row_with(3, "click_url", "www.example.com"), row_with(4, "ad_id", "1.23E+15")}),
       "in:2: campaign_budget: bad_number: not a decimal number; write 15000 or 2.5: \"abc\"\n"
       "in:3: end_date: no_such_day: the calendar has no such day: \"2025-02-30\"\n"
       "in:4: click_url: bad_url: not an absolute http or https address, like "
       "https://example.com/page: \"www.example.com\"\n"
       "in:5: ad_id: id_damaged: a spreadsheet turned this id into a rounded number; format the "
       "column as text and enter the id again: \"1.23E+15\"\n"},
      {"start after end", sheet_of({row_with(1, "start_date", "2025-09-01")}),
       "in:2: end_date: date_order: is before the start, 2025-09-01: \"2025-08-15\"\n"},
      {"contradictions name both lines",
       sheet_of({row(6), row_with(7, "campaign_budget", "20001"), row(8),
                 row_with(9, "objective", "reach"), row_with(6, "bid", "2.9"),
                 row_with(6, "ad_type", "video")}),
       "in:3: campaign_budget: contradiction: line 2 says \"20000\" for the same campaign: "
       "\"20001\"\n"
       "in:5: objective: contradiction: line 2 says \"conversions\" for the same campaign: "
       "\"reach\"\n"
       "in:6: bid: contradiction: line 2 says \"2.8\" for the same ad_group: \"2.9\"\n"
       "in:7: ad_type: contradiction: line 2 says \"banner\" for the same ad: \"video\"\n"},
      {"quoted line breaks, and the lines after them",
       sheet_of({row_with(1, "campaign_name", "\"two\nlines\""), row_with(2, "bid", "x"),
                 row_with(3, "ad_id", "\"a\r\nb\""), row_with(4, "bid", "\"1\n\""),
                 row_with(5, "end_date", "\"\n2025-08-15\""),
                 row_with(6, "click_url", "\"https://a.example/\n\"")}),
       "in:2: campaign_name: line_break: contains a line break; write it in one line, and look "
       "whether a quote was left open "
       "here: \"two\\x0alines\"\n"
       "in:4: bid: bad_number: not a decimal number; write 15000 or 2.5: \"x\" (row 3)\n"
       "in:5: ad_id: line_break: contains a line break; write it in one line, and look whether a "
       "quote was left open here: "
       "\"a\\x0d\\x0ab\" (row 4)\n"
       "in:7: bid: line_break: contains a line break; write it in one line, and look whether a "
       "quote was left open here: "
       "\"1\\x0a\" (row 5)\n"
       "in:9: end_date: line_break: contains a line break; write it in one line, and look whether "
       "a quote was left open here: "
       "\"\\x0a2025-08-15\" (row 6)\n"
       "in:11: click_url: line_break: contains a line break; write it in one line, and look "
       "whether a quote was left open here: "
       "\"https://a.example/\\x0a\" (row 7)\n"},
      {"points in a sheet with a decimal comma",
       sheet_of({row_with(1, "campaign_budget", "15.000"), row_with(2, "bid", "0.125"),
                 row_with(3, "bid", "\"2,50\""), row_with(4, "campaign_budget", "2.125"),
                 row_with(5, "bid", "2.50")}),
       "in:2: campaign_budget: ambiguous_point: the point may separate thousands or decimals; "
       "write 15000 for thousands, 15, "
       "15.00 or 2.1250 for decimals: \"15.000\"\n"
       "in:4: bid: decimal_comma: write a decimal point and no thousands separator: 15000 or 2.5: "
       "\"2,50\"\n"
       "in:5: campaign_budget: ambiguous_point: the point may separate thousands or decimals; "
       "write 15000 for thousands, 15, "
       "15.00 or 2.1250 for decimals: \"2.125\"\n"},
      {"points in a sheet with commas between thousands",
       sheet_of({row_with(1, "campaign_budget", "\"15,000.00\""), row_with(2, "bid", "2.125"),
                 row_with(3, "campaign_budget", "\"1,234,567\"")}),
       "in:2: campaign_budget: decimal_comma: write a decimal point and no thousands separator: "
       "15000 or 2.5: \"15,000.00\"\n"
       "in:4: campaign_budget: decimal_comma: write a decimal point and no thousands separator: "
       "15000 or 2.5: \"1,234,567\"\n"},
      {"hidden characters are shown",
       sheet_of({row_with(1, "bid",
                          "2\xC2\xA0"
                          "500"),
                 row_with(2, "ad_id", "ad\xE2\x80\xAE_1\xC2\x9B")}),
       "in:2: bid: bad_number: not a decimal number; write 15000 or 2.5: \"2\\u00a0500\"\n"
       "in:3: ad_id: id_hidden_space: contains an invisible space or mark; type the id again: "
       "\"ad\\u202e_1\\u009b\"\n"},
      {"control characters are shown", sheet_of({row_with(1, "ad_id", "a\x1b[31m")}),
       "in:2: ad_id: control_character: contains a control character; remove it: \"a\\x1b[31m\"\n"},
  };
}

TEST(BadInput, IsToldInExactWordsAndNothingIsWritten) {
  for (const Case& bad : cases()) {
    SCOPED_TRACE(bad.name);
    Program program;
    const Ran ran = program.run({program.write("in", bad.text)});
    EXPECT_EQ(ran.exit_code, bad.exit_code);
    const std::size_t last = ran.err.rfind("in: ", ran.err.size());
    EXPECT_EQ(ran.err.substr(0, last), bad.errors);
    EXPECT_NE(ran.err.find("nothing was loaded"), std::string::npos) << ran.err;
    EXPECT_EQ(ran.out, "");
    EXPECT_FALSE(program.has_database());
    const Ran checked = program.run({"check", "in"});
    EXPECT_EQ(checked.exit_code, bad.exit_code);
    EXPECT_EQ(checked.err, bad.errors);
  }
}

TEST(BadInput, OfJsonIsToldWithItsPathAndLine) {
  const std::string good_ad =
      R"({"id":"a","type":"t","creative_url":"https://x.com/","click_url":"https://x.com/",)"
      R"("status":"new"})";
  const auto campaign = [&](const std::string& groups) {
    return "{\n\"campaign_id\": 17, \"campaign_name\": \"n\",\n\"campaign_budget\": \"10.50\", "
           "\"start_date\":"
           "\"2025-01-01\",\n\"end_date\": \"2025-01-02\", \"objective\": \"o\",\n\"ad_groups\": " +
           groups + "\n}\n";
  };
  const std::vector<Case> all = {
      {"values",
       campaign("[{\"id\": \"g\", \"name\": true,\n\"bid\": 1e3, \"ads\": [" + good_ad +
                ",\n{\"id\": null}]}]"),
       "in:5: ad_groups[0].name: wrong_type: must be a text or a number\n"
       "in:6: ad_groups[0].bid: exponent: write the number in full, without an exponent: \"1e3\"\n"
       "in:7: ad_groups[0].ads[1].id: missing_value: a value is needed here: \"\"\n"
       "in:7: ad_groups[0].ads[1].type: missing_value: a value is needed here: \"\"\n"
       "in:7: ad_groups[0].ads[1].creative_url: missing_value: a value is needed here: \"\"\n"
       "in:7: ad_groups[0].ads[1].click_url: missing_value: a value is needed here: \"\"\n"
       "in:7: ad_groups[0].ads[1].status: missing_value: a value is needed here: \"\"\n"},
      {"types", campaign("{\"id\": \"g\"}"), "in:5: ad_groups: wrong_type: must be a list [...]\n"},
      {"elements", campaign("[5]"), "in:5: ad_groups[0]: wrong_type: must be an object {...}\n"},
      {"the same in a list",
       "[5," + campaign("[[],{\"id\":\"g\",\"name\":\"n\",\"bid\":\"x\",\"ads\":{},\"tags\":[]}]") +
           ",{\"campaign_id\":\"d\",\"campaign_name\":\"n\",\"campaign_budget\":true,\"start_"
           "date\":\"2025-01-01\","
           "\"end_date\":\"2025-01-01\",\"objective\":\"o\",\"ad_group_id\":\"g\",\"ad_group_"
           "name\":\"n\",\"bid\":\"x\"}]",
       "in:1: [0]: wrong_type: must be an object {...}\n"
       "in:5: [1].ad_groups[0]: wrong_type: must be an object {...}\n"
       "in:5: [1].ad_groups[1].ads: wrong_type: must be a list [...]\n"
       "in:5: [1].ad_groups[1]: unknown_key: this key is not known, and what is in it would be "
       "lost; leave it out, or write ads: \"tags\"\n"
       "in:5: [1].ad_groups[1].bid: bad_number: not a decimal number; write 15000 or 2.5: \"x\"\n"
       "in:7: [2].campaign_budget: wrong_type: must be a text or a number\n"
       "in:7: [2].bid: bad_number: not a decimal number; write 15000 or 2.5: \"x\"\n"},
      {"lists", campaign("[{\"id\":\"g\",\"name\":\"n\",\"bid\":1,\"targeting_geo\":[\"UK\"]}]"),
       "in:5: ad_groups[0].targeting_geo: wrong_type: must be a text; separate the parts of a list "
       "by semicolons\n"},
      {"a misspelt list",
       "{\"campaign_id\":\"c\",\"campaign_name\":\"n\",\"campaign_budget\":1,\"start_date\":\"2025-"
       "01-01\","
       "\"end_date\":\"2025-01-01\",\"objective\":\"o\",\"note\":1,\n\"AdGroups\":\n[{\"id\":\"g\"}"
       "]}",
       "in:1: row: unknown_column: this key is not used: \"note\" (warning)\n"
       "in:2: row: unknown_key: this key is not known, and what is in it would be lost; write "
       "ad_groups: \"AdGroups\"\n"},
      {"misspelt lists below",
       campaign("[{\"id\":\"g\",\"name\":\"n\",\"bid\":1,\n\"Ads\":[" + good_ad +
                "],\"geos\":[],\n"
                "\"targeting\":{\"ages\":\"18-24\"}}]"),
       "in:6: ad_groups[0]: unknown_key: this key is not known, and what is in it would be lost; "
       "write ads: \"Ads\"\n"
       "in:6: ad_groups[0]: unknown_key: this key is not known, and what is in it would be lost; "
       "leave it out, or write ads: \"geos\"\n"
       "in:7: ad_groups[0]: unknown_key: this key is not known, and what is in it would be lost; "
       "write its parts as targeting_ages, "
       "targeting_interests, targeting_geo: \"targeting\"\n"},
      {"a list in an ad",
       campaign("[{\"id\":\"g\",\"name\":\"n\",\"bid\":1,\"ads\":[{\"tags\":[1]," +
                good_ad.substr(1) + "]}]"),
       "in:5: ad_groups[0].ads[0]: unknown_key: this key is not known, and what is in it would be "
       "lost; leave it out: \"tags\"\n"},
      {"a key twice", "{\"campaign_id\": 1,\n\"campaign_id\": 2}",
       "in:2: row: repeated_key: stands twice in one object: \"campaign_id\"\n"},
      {"two keys for one value",
       campaign("[{\"id\":\"g\",\"ad_group_id\":\"h\",\n\"name\":\"n\",\"bid\":1,\"BID\":2}]"),
       "in:5: ad_groups[0].id: repeated_key: two keys of one object mean this; leave one: "
       "\"ad_group_id\"\n"
       "in:6: ad_groups[0].bid: repeated_key: two keys of one object mean this; leave one: "
       "\"BID\"\n"},
      {"nothing", "[]", "in: file: no_rows: there is no campaign in it\n"},
      {"syntax", "{\"campaign_id\": 1,\n}",
       "in:2: row: bad_json: Missing a name for object member: \"}\"\n"},
      {"cut", "{\"campaign_id\": \"a",
       "in:1: row: bad_json: Missing a closing quotation mark in string\n"},
      {"two documents", campaign("[]") + "x",
       "in:7: row: bad_json: The document root must not be followed by other values: \"x\"\n"},
      {"NUL", std::string("{\n\"campaign_id\": \"\0\"}", 21),
       "in:2: row: nul_byte: contains a NUL byte; this is not a text file, or it is damaged\n"},
      {"UTF-8", "{\"campaign_name\": \"\xFF\"}",
       "in:1: row: bad_json: Invalid encoding in string: \"\\xff\"}\"\n"},
      {"exponent bomb", "{\"campaign_budget\": 0." + std::string(400, '0') + "1e-2147483639}",
       "in:1: row: bad_json"},
      {"depth", repeated("[", 1'000'000),
       "in:1: [0]: wrong_type: must be an object {...}\n"
       "in:1: row: too_deep: nested more than 32 levels deep\n"},
      {"a million levels of objects", repeated("{\"a\":", 1'000'000),
       "in:1: row: unknown_key: this key is not known, and what is in it would be lost; leave it "
       "out, or write ad_groups: \"a\"\n"
       "in:1: row: too_deep: nested more than 32 levels deep\n"},
  };
  for (const Case& bad : all) {
    SCOPED_TRACE(bad.name);
    Program program;
    const Ran ran = program.run({"check", program.write("in", bad.text)});
    EXPECT_EQ(ran.exit_code, 65) << ran.err;
    if (std::string_view(bad.name) == "exponent bomb") continue;  // refused, in whatever words
    EXPECT_EQ(ran.err, bad.errors);
  }
}

TEST(BadInput, OfOneJsonLineLeavesTheOthersToBeChecked) {
  Program program;
  const std::string lines =
      "{\"campaign_id\":\"a\"}\n{\"campaign_id\":}\n\n{\"campaign_id\":1e999999999}\n";
  const Ran ran = program.run({"check", program.write("in", lines)});
  EXPECT_EQ(ran.exit_code, 65);
  EXPECT_NE(ran.err.find("in:1: objective: missing_value"), std::string::npos) << ran.err;
  EXPECT_NE(ran.err.find("in:2: row: bad_json: Invalid value"), std::string::npos) << ran.err;
  EXPECT_NE(ran.err.find("in:4: "), std::string::npos) << ran.err;
}

// Of a campaign whose children are lost nothing is loaded; another campaign is.
TEST(BadInput, OfAMisspeltListIsLeftOutAsAWhole) {
  Program program;
  const std::string rest =
      "\"campaign_name\":\"n\",\"campaign_budget\":1,\"start_date\":\"2025-01-01\","
      "\"end_date\":\"2025-01-01\",\"objective\":\"o\"";
  const std::string lines = "{\"campaign_id\":\"a\"," + rest +
                            ",\"AdGroups\":[]}\n{\"campaign_id\":\"b\"," + rest + "}\n";
  const Ran ran = program.run({program.write("in", lines), "--on-error", "skip-row"});
  EXPECT_EQ(ran.out, "in: batch 1: 1 new, 0 unchanged (2 rows, 1 left out)\n") << ran.err;
  EXPECT_EQ(program.ask("SELECT group_concat(key) FROM job"), "b");
}

TEST(BadInput, OfMoreEntitiesThanFitTakesLittleMemory) {
  Problems problems;
  JsonTree tree(3);
  tree.read("[{\"ad_groups\":[{\"ads\":[{}\n]}]}]", 1, 0, problems);
  EXPECT_TRUE(problems.empty());
  EXPECT_EQ(tree.nodes().size(), 3U);
  tree.read("[{\"ad_groups\":[{\"ads\":[{},\n{},{\"x\":{}}]}]},{}]", 1, 0, problems);
  EXPECT_TRUE(tree.nodes().empty());
  EXPECT_TRUE(tree.roots().empty());
  ASSERT_EQ(problems.count(), 1);
  EXPECT_EQ(to_text(problems.errors()[0], "in"),
            "in:2: row: too_many_entities: more than 3 campaigns, ad groups and ads in one "
            "document; write JSON Lines, "
            "a campaign on each line");
  tree.read("{}", 1, 0, problems);
  EXPECT_EQ(tree.nodes().size(), 1U) << "the next document has its own";
}

TEST(BadInput, OfKeysWithoutEndIsRemarkedUpon1000Times) {
  Problems problems;
  JsonTree tree;
  for (int i = 0; i < 3000; ++i)
    tree.read("{\"key " + std::to_string(i) + "\":1,\"again\":1}", 1, 0, problems);
  EXPECT_TRUE(problems.empty());
  ASSERT_EQ(problems.warnings().size(), 1000U);
  EXPECT_EQ(problems.warnings().back().message, "this key is not used; further ones are not named");
}

// Two rows a contradiction were held with all their values.
TEST(BadInput, OfLongContradictionsIsToldAsFarAsMemoryGoes) {
  const std::string long_row = row_with(1, "campaign_name", std::string(60'000, 'x'));
  const std::string money = ",15000,";
  const std::size_t at = long_row.find(money);
  std::string text = header() + "\n";
  constexpr int kRows = 800;
  for (int i = 0; i < kRows; ++i)
    text += std::string(long_row).replace(at, money.size(), "," + std::to_string(i) + ",") + "\n";
  const Result<InputFile> file = InputFile::from_text("in", text);
  Survey found = *survey(*file, InputFormat::csv, OnError::skip_row, [](const SurveySoFar&) {});
  EXPECT_EQ(found.problems.bad_rows(), kRows - 1);
  EXPECT_FALSE(found.problems.is_bad_row(1));
  const std::vector<Problem>& told = found.problems.errors();
  EXPECT_LT(told.size(), 700U) << "of 60 kB each, in 32 MiB";
  ASSERT_GT(told.size(), 300U);
  EXPECT_EQ(told.front().line, 0);
  EXPECT_EQ(told.front().message.substr(told.front().message.find(' ')),
            " more rows contradict earlier ones");
  EXPECT_EQ(std::stoll(told.front().message) + found.problems.count() - 1, kRows - 1)
      << "each row is told or counted";
}

TEST(BadInput, OfALineTooLongIsStillJsonLines) {
  const Program program;
  const Ran ran =
      program.run({"check", program.write("in", "{}\n{\"campaign_id\":\"" +
                                                    std::string(17'000'000, 'x') + "\"}\n")});
  EXPECT_EQ(ran.exit_code, 65);
  EXPECT_TRUE(ran.err.ends_with("in:2: row: record_too_long: is longer than 16 MiB\n")) << ran.err;
}

TEST(Output, ThatCannotBeWrittenEndsWith74) {
  const Program program;
  program.write("in", sample());
  const std::vector<std::vector<std::string>> verbs = {{"check", "in"}, {"plan", "in"}, {"in"},
                                                       {"status"},      {"results"},    {"errors"},
                                                       {"template"},    {"--help"}};
  for (const std::vector<std::string>& verb : verbs) {
    const Ran ran = program.run_with_full_stdout(verb);
    EXPECT_EQ(ran.exit_code, 74) << verb[0];
    EXPECT_NE(ran.err.find("dl-ingest: stdout: writing: "), std::string::npos) << ran.err;
  }
  EXPECT_EQ(program.ask("SELECT count(*) FROM batch WHERE state = 'loaded'"), "1")
      << "what was loaded is loaded";
}

TEST(BadInput, OfAnotherKindSaysHowToExportIt) {
  Program program;
  EXPECT_EQ(program
                .run({program.write("in", std::string("\xFF\xFE"
                                                      "c\0a\0",
                                                      6))})
                .err,
            "dl-ingest: in: file: utf16: is UTF-16; export the sheet as \"CSV UTF-8\"\n");
  EXPECT_EQ(program.run({program.write("in", "PK\x03\x04 and so on")}).err,
            "dl-ingest: in: file: spreadsheet: is a workbook (XLSX, ODS) or an archive; export the "
            "sheet as \"CSV UTF-8\"\n");
}

TEST(Problems, AreKeptInBoundedMemoryAndAllCounted) {
  Problems problems;
  const std::string value(64 * 1024, 'x');
  for (int i = 0; i < 1000; ++i)
    problems.add({i, 0, "bid", "bad_number", "not a number", value, true});
  EXPECT_EQ(problems.count(), 1000);
  EXPECT_EQ(problems.errors().size(), Problems::kKeptBytes / value.size());
  EXPECT_EQ(problems.errors().front().value, value);
  Problems wordy;
  for (int i = 0; i < 1000; ++i) wordy.add({i, 0, "row", "id_changed", value, "", false});
  EXPECT_EQ(wordy.errors().size(), Problems::kKeptBytes / value.size());
}

}  // namespace
}  // namespace dl

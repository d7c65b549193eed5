#include <gtest/gtest.h>

#include <map>
#include <random>

#include "storage/model/job.h"

namespace dl {
namespace {

std::vector<std::string_view> views(const std::vector<std::string>& path) {
  return {path.begin(), path.end()};
}

TEST(JobKey, JoinsTheIdsFromTheRootDown) {
  EXPECT_EQ(job_key({"c1"}), "c1");
  EXPECT_EQ(job_key({"c1", "ag_1001"}), "c1/ag_1001");
  EXPECT_EQ(job_key({"c1", "ag_1001", "ad 7"}), "c1/ag_1001/ad 7");
}

TEST(JobKey, EncodesOnlyWhatItNeedsForItself) {
  EXPECT_EQ(job_key({"c1", "ag/1"}), "c1/ag%2F1");
  EXPECT_EQ(job_key({"50%"}), "50%25");
  EXPECT_EQ(job_key({"%2F"}), "%252F");
  EXPECT_EQ(job_key({"ünï\n\"'"}), "ünï\n\"'");
}

TEST(JobKey, TellsOneAdGroupIdUnderTwoCampaignsApart) {
  EXPECT_NE(job_key({"c1", "ag_1001"}), job_key({"c2", "ag_1001"}));
  EXPECT_NE(job_key({"a/b"}), job_key({"a", "b"}));
  EXPECT_NE(job_key({"a", "b/c"}), job_key({"a/b", "c"}));
  EXPECT_NE(job_key({"a%2Fb"}), job_key({"a/b"}));
}

TEST(JobKey, GivesThePathBack) {
  const std::vector<std::vector<std::string>> paths = {
      {"c1"},  {"/"},          {"%"},        {"%%"},          {"%2F"},
      {"%25"}, {"%252F", "a"}, {"a/", "/b"}, {"2F", "%", "F"}};
  for (const auto& path : paths) EXPECT_EQ(job_path(job_key(views(path))), path);
}

// Two paths never share a key, and every key gives its path back; ids made of the awkward letters.
TEST(JobKey, SurvivesTheRoundTripForAwkwardIds) {
  constexpr std::string_view kLetters = "/%2F5ab";
  std::mt19937_64 random(20'250'101);
  const auto below = [&random](std::size_t n) { return random() % n; };
  std::map<std::string, std::vector<std::string>> seen;
  for (int i = 0; i < 20'000; ++i) {
    std::vector<std::string> path(1 + below(3));
    for (std::string& id : path) {
      id.resize(1 + below(5));
      for (char& c : id) c = kLetters[below(kLetters.size())];
    }
    const std::string key = job_key(views(path));
    ASSERT_EQ(job_path(key), path) << key;
    const auto [at, is_new] = seen.emplace(key, path);
    ASSERT_EQ(at->second, path) << key;
  }
}

TEST(JobKind, IsFoundByItsNameOnly) {
  EXPECT_EQ(kind_named("campaign"), JobKind::campaign);
  EXPECT_EQ(kind_named("ad_group"), JobKind::ad_group);
  EXPECT_EQ(kind_named("ad"), JobKind::ad);
  EXPECT_EQ(kind_named("ads"), std::nullopt);
  for (const KindNames& names : kKinds) EXPECT_EQ(&names_of(names.kind), &names);
}

}  // namespace
}  // namespace dl

#include "daemon/dsp/secret.h"

#include <gtest/gtest.h>
#include <unistd.h>

#include <filesystem>
#include <fstream>

namespace dl {
namespace {

class SecretFile : public testing::Test {
 protected:
  void write(const std::string& text) { std::ofstream(path_, std::ios::binary) << text; }
  ~SecretFile() override { std::filesystem::remove(path_); }
  const std::string path_ = testing::TempDir() + "dl-secret-" + std::to_string(getpid());
};

TEST_F(SecretFile, IsReadWithoutTheSpaceAroundIt) {
  write(" \tabc.DEF_123==\r\n\n");
  const auto secret = read_secret(path_);
  ASSERT_TRUE(secret);
  EXPECT_EQ(secret->text(), "abc.DEF_123==");
}

TEST_F(SecretFile, IsRefusedWithoutShowingIt) {
  for (const std::string& text :
       {std::string(), std::string(" \n"), std::string("canary\r\nEvil: 1"), std::string("can ary"),
        std::string("canary\0x", 8), std::string("canary\xc3\xa4"),
        "canary" + std::string(17'000, 'x')}) {
    write(text);
    const auto secret = read_secret(path_);
    ASSERT_FALSE(secret);
    EXPECT_EQ(secret.error().code, Errc::no_permission);
    EXPECT_NE(secret.error().message.find(path_), std::string::npos);
    EXPECT_EQ(secret.error().message.find("canary"), std::string::npos);
  }
}

TEST_F(SecretFile, SaysWhatTheSystemSaid) {
  const auto missing = read_secret(path_);
  ASSERT_FALSE(missing);
  EXPECT_NE(missing.error().message.find("No such file"), std::string::npos);
  EXPECT_FALSE(read_secret(testing::TempDir())) << "a directory holds no token";
}

TEST(Secret, LeavesNothingBehindWhenMoved) {
  Secret first("short");  // lies inside the object, where a plain move would leave a copy
  const Secret second(std::move(first));
  EXPECT_EQ(second.text(), "short");
  EXPECT_TRUE(first.empty());  // NOLINT: the moved-from value is what is tested
  const auto* bytes = reinterpret_cast<const char*>(&first);
  EXPECT_EQ(std::string_view(bytes, sizeof first).find("short"), std::string_view::npos);
}

}  // namespace
}  // namespace dl

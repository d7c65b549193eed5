// What SheetWriter gives to people comes back the same. The cases that fuzzing found; the property
// itself is tests/fuzz/sheet_properties.
#include "ingest/sheet_writer.h"

#include <gtest/gtest.h>

#include <cstdlib>

namespace dl {
namespace {

std::string written(InputFormat format, CsvDialect dialect, std::vector<std::string> header,
                    const std::vector<std::string_view>& row) {
  char* text = nullptr;
  std::size_t size = 0;
  std::FILE* stream = open_memstream(&text, &size);
  SheetWriter sheet(stream, "memory", format, dialect, std::move(header));
  EXPECT_TRUE(sheet.add(row));
  EXPECT_TRUE(sheet.finish());
  std::fclose(stream);
  std::string copy(text, size);
  std::free(text);
  return copy;
}

// The delimiter of a sheet is the most frequent one of its header.
TEST(SheetWriter, LetsNoNameOfAColumnPassForDelimiters) {
  const std::string sheet =
      written(InputFormat::csv, {}, {"bid", "a;b;c", "d\te"}, {"1", "2;3", ""});
  EXPECT_EQ(sheet, "bid,\"a;b;c\",\"d\te\"\n1,2;3,\n");
  EXPECT_EQ(delimiter_of(sheet.substr(0, sheet.find('\n'))), ',');
}

// An ad group without ads must not come back with an ad that lacks its id.
TEST(SheetWriter, LeavesOutOfJsonWhatIsAbsent) {
  EXPECT_EQ(written(InputFormat::jsonl, {}, {"ad_group_id", "ad_id", "dl_error"}, {"g1", "", ""}),
            "{\"ad_group_id\":\"g1\",\"dl_error\":\"\"}\n");
}

}  // namespace
}  // namespace dl

// Bytes as JSON: as what they look like, as one document, and as JSON Lines; sheet_properties.h
// says what must hold.
#include "storage/model/check.h"
#include "tests/fuzz/sheet_properties.h"
#include "tests/fuzz/target.h"

namespace dl::fuzz {

void json(std::string_view input) {
  Result<InputFile> file = InputFile::from_text("sheet", input);
  DL_CHECK(file, "a text can be opened");
  const Result<InputFormat> format = sniff_format(*file);
  DL_CHECK(format || format.error().code == Errc::data, "only UTF-16 and workbooks are refused");
  check_sheet(input, InputFormat::json);
  check_sheet(input, InputFormat::jsonl);
}

}  // namespace dl::fuzz

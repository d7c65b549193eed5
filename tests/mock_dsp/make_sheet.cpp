// dl-make-sheet: writes a generated sheet to a file or to stdout.
#include <CLI/CLI.hpp>
#include <cerrno>
#include <cstdio>
#include <cstring>
#include <iostream>

#include "tests/mock_dsp/sheet.h"

namespace dl::mock {
namespace {

constexpr const char* kAbout =
    "Makes a valid sheet of campaigns, ad groups and ads for dl-ingest.\n\n"
    "  dl-make-sheet --campaigns 100 --ad-groups 5 --ads 10 -o sheet.csv      5,000 rows\n"
    "  dl-make-sheet --campaigns 100 --order shuffled --quirks --bom --crlf   as spreadsheets do "
    "it\n"
    "  dl-make-sheet --campaigns 3 --format jsonl | dl-ingest -\n";

struct Typed {
  SheetShape shape;
  std::string order = "ordered", format = "csv", file;
};

void declare(CLI::App& app, Typed& typed) {
  SheetShape& shape = typed.shape;
  const CLI::Range size(std::int64_t{1}, std::int64_t{100'000'000});
  app.add_option("--campaigns", shape.campaigns, "how many (6)")->check(size);
  app.add_option("--ad-groups", shape.ad_groups, "of each campaign (2)")->check(size);
  app.add_option("--ads", shape.ads, "of each ad group (3)")->check(size);
  app.add_flag("--skew", shape.skew,
               "sizes vary from 1 to those; the last campaign has 10 times the ad groups");
  app.add_option("--order", typed.order, "of the rows (ordered)")
      ->check(CLI::IsMember({"ordered", "interleaved", "shuffled"}));
  app.add_option("--format", typed.format, "nested campaigns but for csv (csv)")
      ->check(CLI::IsMember({"csv", "json", "jsonl"}));
  app.add_option("--seed", shape.seed, "the same seed makes the same sheet (1)");
  app.add_option("--payload", shape.payload_bytes, "pad creative_url to this many bytes (0)")
      ->check(CLI::Range(std::int64_t{0}, std::int64_t{16'000'000}));
  app.add_flag(
      "--quirks", shape.quirks,
      "commas, quotes and line ends in names, accents, ids that repeat under other parents");
  app.add_flag("--bom", shape.bom, "begin with a byte order mark");
  app.add_flag("--crlf", shape.crlf, "end lines with CR LF");
  app.add_option("-o,--output", typed.file, "instead of stdout");
}

SheetShape shape_of(const Typed& typed) {
  SheetShape shape = typed.shape;
  if (typed.order == "interleaved") shape.order = RowOrder::interleaved;
  if (typed.order == "shuffled") shape.order = RowOrder::shuffled;
  if (typed.format == "json") shape.format = SheetFormat::json;
  if (typed.format == "jsonl") shape.format = SheetFormat::jsonl;
  return shape;
}

int complain(const Error& error) {
  std::cerr << "dl-make-sheet: " << error.message << "\n";
  return static_cast<int>(error.code);
}

int run(const SheetShape& shape, const std::string& path) {
  std::FILE* const file = path.empty() ? stdout : std::fopen(path.c_str(), "wb");
  if (file == nullptr) return complain({Errc::cant_create, path + ": " + std::strerror(errno)});
  const Status written = write_sheet(shape, [&](std::string_view piece) {
    return std::fwrite(piece.data(), 1, piece.size(), file) == piece.size();
  });
  if (!written) return complain(written.error());
  if (std::fclose(file) != 0) return complain({Errc::io, path + ": " + std::strerror(errno)});
  return 0;
}

}  // namespace
}  // namespace dl::mock

int main(int argc, char** argv) {
  dl::mock::Typed typed;
  CLI::App app(dl::mock::kAbout, "dl-make-sheet");
  dl::mock::declare(app, typed);
  try {
    app.parse(argc, argv);
  } catch (const CLI::ParseError& error) {
    return app.exit(error) == 0 ? 0 : static_cast<int>(dl::Errc::usage);
  }
  return dl::mock::run(shape_of(typed), typed.file);
}

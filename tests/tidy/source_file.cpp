#include "tests/tidy/source_file.h"

#include <algorithm>
#include <filesystem>
#include <fstream>
#include <iterator>

namespace dl::tidy {
namespace {

namespace fs = std::filesystem;

constexpr std::string_view kFolders[] = {"storage",    "daemon",  "ingest", "tests",
                                         "migrations", "systemd", "cmake"};
constexpr std::string_view kEndings[] = {".cpp", ".h", ".sql", ".sh", ".cmake", ".txt", ".service"};

std::string read(const fs::path& path) {
  std::ifstream file(path, std::ios::binary);
  return {std::istreambuf_iterator<char>(file), std::istreambuf_iterator<char>()};
}

}  // namespace

std::vector<SourceFile> read_tree(const std::string& root) {
  std::vector<SourceFile> files;
  for (const std::string_view folder : kFolders) {
    for (const auto& entry : fs::recursive_directory_iterator(fs::path(root) / folder)) {
      const std::string ending = entry.path().extension().string();
      const bool is_wanted = std::ranges::find(kEndings, ending) != std::end(kEndings);
      if (!entry.is_regular_file() || !is_wanted) continue;
      files.push_back({fs::relative(entry.path(), root).string(), read(entry.path())});
    }
  }
  for (const std::string_view name : {"dev", ".ci/run", "CMakeLists.txt"}) {
    const fs::path path = fs::path(root) / name;
    if (fs::exists(path)) files.push_back({std::string(name), read(path)});
  }
  std::ranges::sort(files, {}, &SourceFile::path);
  return files;
}

std::vector<Line> lines_of(const SourceFile& file) {
  std::vector<Line> lines;
  std::string_view rest = file.text;
  while (!rest.empty()) {
    const std::size_t end = std::min(rest.find('\n'), rest.size());
    lines.push_back({static_cast<int>(lines.size()) + 1, rest.substr(0, end)});
    rest.remove_prefix(std::min(end + 1, rest.size()));
  }
  return lines;
}

std::vector<Include> includes_of(const SourceFile& file) {
  std::vector<Include> includes;
  for (const Line& line : lines_of(file)) {
    std::string_view text = line.text;
    const auto skip_spaces = [&text] {
      text.remove_prefix(std::min(text.find_first_not_of(" \t"), text.size()));
    };
    skip_spaces();
    if (!text.starts_with('#')) continue;
    text.remove_prefix(1);
    skip_spaces();
    if (!text.starts_with("include")) continue;
    text.remove_prefix(std::string_view("include").size());
    skip_spaces();
    if (text.empty() || (text.front() != '"' && text.front() != '<')) continue;
    const bool is_ours = text.front() == '"';
    const std::size_t end = text.find(is_ours ? '"' : '>', 1);
    if (end == std::string_view::npos) continue;
    includes.push_back({line.number, text.substr(1, end - 1), is_ours});
  }
  return includes;
}

bool is_cpp(const SourceFile& file) {
  return file.path.ends_with(".cpp") || file.path.ends_with(".h");
}

bool is_below(std::string_view path, std::string_view folder) { return path.starts_with(folder); }

std::string complaint(const SourceFile& file, int line, const std::string& what) {
  return file.path + ":" + std::to_string(line) + ": " + what;
}

}  // namespace dl::tidy

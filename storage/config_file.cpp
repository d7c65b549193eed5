#include "storage/config_file.h"

#include <sys/stat.h>
#include <toml++/toml.h>

#include <algorithm>
#include <cerrno>
#include <cstring>
#include <fstream>

#include "storage/model/nearest_name.h"

namespace dl {
namespace {

constexpr std::size_t kLongestFile = 1 << 20;

Error wrong(const std::string& path, const toml::source_position& at, const std::string& why) {
  return {Errc::config,
          path + ":" + std::to_string(at.line) + ":" + std::to_string(at.column) + ": " + why};
}

Result<std::string> read_text(const std::string& path) {
  const auto refuse = [&](const std::string& why) {
    return Error{Errc::no_input, "configuration file " + path + ": " + why};
  };
  const auto refuse_by_system = [&] {
    Error error = refuse(std::strerror(errno));
    if (errno == EACCES) error.code = Errc::no_permission;
    return error;
  };
  struct stat info = {};
  if (::stat(path.c_str(), &info) != 0) return refuse_by_system();
  if (!S_ISREG(info.st_mode)) return refuse("not a regular file");
  std::ifstream in(path, std::ios::binary);
  if (!in) return refuse_by_system();
  std::string text(kLongestFile + 1, '\0');
  in.read(text.data(), static_cast<std::streamsize>(text.size()));
  if (in.bad()) return refuse("cannot be read");
  text.resize(static_cast<std::size_t>(in.gcount()));
  if (text.size() > kLongestFile) return Error{Errc::config, path + ": longer than 1 MiB"};
  return text;
}

// A key takes a table for each of its dots, and a table of tables is destroyed by recursion: a line
// of 100,000 dots overflowed the stack. All keys of ours are flat.
constexpr std::ptrdiff_t kMostDotsInALine = 1'000;

Status refuse_deep_keys(const std::string& path, std::string_view text) {
  std::size_t line = 1;
  for (std::size_t begin = 0; begin < text.size(); ++line) {
    const std::size_t end = std::min(text.find('\n', begin), text.size());
    const std::string_view here = text.substr(begin, end - begin);
    if (std::count(here.begin(), here.end(), '.') > kMostDotsInALine) {
      return Error{Errc::config, path + ":" + std::to_string(line) +
                                     ": more than 1000 dots; no key here is nested"};
    }
    begin = end + 1;
  }
  return Done{};
}

// A key for a message of one line.
std::string shown(std::string_view key) {
  constexpr std::size_t kBytesMax = 80;
  std::string text(key.substr(0, kBytesMax));
  std::replace_if(
      text.begin(), text.end(), [](char c) { return (c >= 0 && c < ' ') || c == 0x7F; }, '?');
  return text + (key.size() > kBytesMax ? "..." : "");
}

Error unknown_key(const std::string& path, const toml::key& key) {
  std::string why = "unknown key \"" + shown(key.str()) + "\"";
  if (const auto nearest = nearest_name(key.str(), kConfigKeys)) {
    why += "; did you mean " + std::string(*nearest) + "?";
  }
  return wrong(path, key.source().begin, why);
}

Result<std::string> text_of(const std::string& path, const toml::key& key, const toml::node& node) {
  if (const auto* text = node.as_string()) return text->get();
  if (const auto* number = node.as_integer()) return std::to_string(number->get());
  if (const auto* truth = node.as_boolean()) return std::string(truth->get() ? "true" : "false");
  return wrong(path, node.source().begin,
               std::string(key.str()) + " must be a string, a whole number, true or false");
}

}  // namespace

Environment read_environment(const char* const* environ) {
  Environment environment;
  for (; environ != nullptr && *environ != nullptr; ++environ) {
    const std::string_view entry = *environ;
    const std::size_t equals = entry.find('=');
    if (equals == std::string_view::npos) continue;
    environment.emplace(entry.substr(0, equals), entry.substr(equals + 1));
  }
  return environment;
}

Result<ConfigFile> ConfigFile::load(const std::string& path) {
  const Result<std::string> text = read_text(path);
  if (!text) return text.error();
  if (Status ok = refuse_deep_keys(path, *text); !ok) return ok.error();
  toml::table table;
  try {
    table = toml::parse(*text, path);
  } catch (const toml::parse_error& error) {
    return wrong(path, error.source().begin, std::string(error.description()));
  }
  ConfigFile file;
  file.path_ = path;
  for (const auto& [key, node] : table) {
    if (std::find(kConfigKeys.begin(), kConfigKeys.end(), key.str()) == kConfigKeys.end()) {
      return unknown_key(path, key);
    }
    const Result<std::string> value = text_of(path, key, node);
    if (!value) return value.error();
    const std::string origin = path + ":" + std::to_string(key.source().begin.line);
    file.values_.emplace(key.str(), ConfigValue{*value, origin});
  }
  return file;
}

Result<ConfigFile> ConfigFile::choose(const std::optional<std::string>& flag,
                                      const Environment& environment, std::string_view fallback) {
  if (flag) return load(*flag);
  if (const auto named = environment.find("DL_CONFIG"); named != environment.end()) {
    if (named->second.empty()) return ConfigFile{};
    return load(named->second);
  }
  struct stat info = {};
  const std::string path(fallback);
  if (::stat(path.c_str(), &info) != 0 && errno == ENOENT) return ConfigFile{};
  return load(path);
}

const ConfigValue* ConfigFile::find(std::string_view key) const {
  const auto found = values_.find(key);
  return found == values_.end() ? nullptr : &found->second;
}

}  // namespace dl

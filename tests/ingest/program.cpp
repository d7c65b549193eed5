#include "program.h"

#include <fcntl.h>
#include <gtest/gtest.h>
#include <stdlib.h>
#include <sys/wait.h>
#include <unistd.h>

#include <fstream>
#include <sstream>

#include "ingest/columns.h"
#include "tests/support/tree.h"

namespace dl {
namespace {

std::string text_in(const std::filesystem::path& path) {
  std::ifstream in(path, std::ios::binary);
  std::stringstream text;
  text << in.rdbuf();
  return text.str();
}

std::vector<std::string> split(const std::string& text, char at) {
  std::vector<std::string> parts;
  std::stringstream in(text);
  for (std::string part; std::getline(in, part, at);) {
    if (!part.empty() && part.back() == '\r') part.pop_back();
    parts.push_back(part);
  }
  return parts;
}

}  // namespace

Program::Program() {
  std::string pattern = (std::filesystem::temp_directory_path() / "dl-ingest-test-XXXXXX").string();
  folder_ = ::mkdtemp(pattern.data());
}

Program::~Program() { std::filesystem::remove_all(folder_); }

pid_t Program::spawn(std::vector<std::string> args, const std::string& in, const std::string& out,
                     const std::string& err) const {
  args.insert(args.begin(),
              {built_program("dl-ingest"), "--db", "jobs.db", "--config", "none.toml"});
  std::ofstream(path("none.toml"), std::ios::app).flush();
  std::vector<char*> argv;
  for (std::string& arg : args) argv.push_back(arg.data());
  argv.push_back(nullptr);
  const pid_t pid = ::fork();
  if (pid != 0) return pid;
  if (::chdir(folder_.c_str()) != 0) ::_exit(126);
  ::dup2(::open(in.c_str(), O_RDONLY), 0);
  ::dup2(::open(out.c_str(), O_WRONLY | O_CREAT | O_TRUNC, 0600), 1);
  ::dup2(::open(err.c_str(), O_WRONLY | O_CREAT | O_TRUNC, 0600), 2);
  ::execv(argv[0], argv.data());
  ::_exit(127);
}

Ran Program::run(std::vector<std::string> args, std::string_view in) const {
  write("stdin.txt", in);
  Ran ran = wait_for(spawn(std::move(args), "stdin.txt", "stdout.txt", "stderr.txt"));
  ran.out = read("stdout.txt");
  return ran;
}

Ran Program::run_with_full_stdout(std::vector<std::string> args) const {
  return wait_for(spawn(std::move(args), "/dev/null", "/dev/full", "stderr.txt"));
}

Ran Program::wait_for(pid_t pid) const {
  int status = 0;
  ::waitpid(pid, &status, 0);
  Ran ran{WIFEXITED(status) ? WEXITSTATUS(status) : 128 + WTERMSIG(status), "", read("stderr.txt")};
  if (ran.err.starts_with("database: ")) ran.err.erase(0, ran.err.find('\n') + 1);
  return ran;
}

pid_t Program::start(std::vector<std::string> args) const {
  return spawn(std::move(args), "/dev/null", "started.txt", "/dev/null");
}

std::string Program::write(std::string_view name, std::string_view text) const {
  std::ofstream(path(name), std::ios::binary) << text;
  return std::string(name);
}

std::string Program::read(std::string_view name) const { return text_in(path(name)); }

std::string Program::ask(const std::string& sql) const {
  SQLite::Database db(path("jobs.db").string(), SQLite::OPEN_READONLY, 5000);
  SQLite::Statement statement(db, sql);
  return statement.executeStep() ? statement.getColumn(0).getString() : "";
}

void Program::as_daemon(const std::string& sql) const {
  auto database = Database::open(path("jobs.db").string(), OpenMode::existing);
  ASSERT_TRUE(database) << database.error().message;
  const Status ok = (*database)->transaction(Writer::daemon, [&]() -> Status {
    (*database)->handle().exec(sql);
    return Done{};
  });
  ASSERT_TRUE(ok) << ok.error().message;
}

std::string sample() { return text_in(in_tree("examples/sample.csv")); }

std::vector<std::string> sample_lines() { return split(sample(), '\n'); }

std::string sheet_of(const std::vector<std::string>& rows) {
  std::string text = sample_lines()[0] + "\n";
  for (const std::string& row : rows) text += row + "\n";
  return text;
}

std::string row_with(std::size_t i, std::string_view column, std::string_view value) {
  std::vector<std::string> fields = split(sample_lines()[i], ',');
  fields[index_of(*column_named(column))] = value;
  std::string row;
  for (const std::string& field : fields) row += (row.empty() ? "" : ",") + field;
  return row;
}

std::string big_sheet(int campaigns) {
  std::string text = sample_lines()[0] + "\n";
  for (int c = 0; c < campaigns; ++c) {
    for (int g = 0; g < 5; ++g) {
      for (int a = 0; a < 20; ++a) {
        const std::string n = std::to_string(c);
        text += "cmp_" + n + ",Campaign " + n + ",15000,2025-07-01,2025-08-15,engagement,ag_" +
                std::to_string(g) + ",Group,2.5,18-24,fashion,UK,ad_" + std::to_string(a) +
                ",banner,https://cdn.example.com/a.jpg,https://shop.example.com/a,pending\n";
      }
    }
  }
  return text;
}

}  // namespace dl

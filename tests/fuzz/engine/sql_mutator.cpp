// libFuzzer's mutations for scripts of SQL: statements are added, left out, replaced and swapped
// whole; now and then bytes are changed as everywhere else. SQLite is not instrumented, so what is
// new is told by the answers: each kind of refusal is a counter of its own.
#include <array>
#include <cstdint>
#include <cstring>
#include <string>
#include <vector>

#include "tests/fuzz/sql_grammar.h"

extern "C" std::size_t LLVMFuzzerMutate(std::uint8_t* data, std::size_t size, std::size_t max_size);

namespace {

constexpr std::size_t kAnswers = 4096;
__attribute__((section("__libfuzzer_extra_counters"))) std::array<std::uint8_t, kAnswers> answers;

void note(std::size_t hash) { answers[hash % kAnswers] = 1; }

std::vector<std::string> statements_of(const std::string& script) {
  std::vector<std::string> statements;
  for (std::size_t at = 0; at < script.size();) {
    const std::size_t end = std::min(script.find(";\n", at), script.size() - 1);
    statements.push_back(script.substr(at, end + 2 - at));
    at = end + 2;
  }
  return statements;
}

}  // namespace

extern "C" int LLVMFuzzerInitialize(int* argc, char*** argv);
extern "C" int LLVMFuzzerInitialize(int*, char***) {
  dl::fuzz::operator_database().on_answer = note;
  return 0;
}

extern "C" std::size_t LLVMFuzzerCustomMutator(std::uint8_t* data, std::size_t size,
                                               std::size_t max_size, unsigned seed);
extern "C" std::size_t LLVMFuzzerCustomMutator(std::uint8_t* data, std::size_t size,
                                               std::size_t max_size, unsigned seed) {
  dl::fuzz::SqlGrammar grammar(dl::fuzz::operator_database().tables(), seed);
  if (grammar.below(8) == 0) return LLVMFuzzerMutate(data, size, max_size);
  std::vector<std::string> statements = statements_of({reinterpret_cast<const char*>(data), size});
  const std::size_t at = grammar.below(statements.size() + 1);
  const auto place = statements.begin() + static_cast<std::ptrdiff_t>(at);
  const std::size_t what = statements.size() > 8 ? 1 : grammar.below(6);
  if (place == statements.end() || what >= 3) {
    statements.insert(place, grammar.statement());
  } else if (what == 0) {
    *place = grammar.statement();
  } else if (what == 1) {
    statements.erase(place);
  } else {
    std::swap(*place, statements[grammar.below(statements.size())]);
  }
  std::string script;
  for (const std::string& statement : statements) script += statement;
  const std::size_t length = std::min(script.size(), max_size);
  std::memcpy(data, script.data(), length);
  return length;
}

// What a world of chaos is like, and what goes wrong in it next: values drawn from a seed. Pure.
// Thread rule: any thread; a Random has one owner.
#pragma once

#include <cstdint>
#include <set>
#include <string>
#include <string_view>
#include <vector>

#include "tests/mock_dsp/random.h"

namespace dl::chaos {

// Both clocks, the daemon's and the mock's, are so much faster than the machine's.
inline constexpr int kScale = 100;

// What the DSP offers where an answer was lost.
enum class Account {
  keys,    // it honours Idempotency-Key
  lookup,  // it can be asked by the key
  hold,    // neither: an operator looks at the DSP's own list and says so
};

struct Sheet {
  int campaigns = 1;
  int ad_groups = 1;
  int ads = 1;
  std::int64_t entities() const { return campaigns * (1 + std::int64_t{ad_groups} * (1 + ads)); }
};

struct Plan {
  std::uint64_t seed = 0;
  Account account = Account::keys;
  bool behind_tls = false;   // the DSP, as in production
  bool on_disk = false;      // else in memory, where a sync costs nothing
  bool has_standby = false;  // the next daemon waits for the lock already
  bool has_meddler = false;  // somebody holds a transaction open now and then
  int deaths_max = 0;        // after so many the rest is done in peace
  std::string limit;         // as in --rate-limit
  std::vector<Sheet> sheets;
  std::vector<std::string> mock_flags;
  std::vector<std::string> daemon_flags;
};

Plan plan_for(std::uint64_t seed, Account account);
const char* name_of(Account account);

// A text for DL_FAULT. A daemon's always ends in a death, at the latest after some dozen requests.
std::string draw_daemon_fault(const Plan& plan, mock::Random& random);
// `is_first`: nobody has made the database yet.
std::string draw_ingest_fault(mock::Random& random, bool is_first);
// The same where nobody is to die any more; often empty. A sheet comes while a daemon that has
// drained is still ending.
std::string draw_daemon_delay(mock::Random& random);
std::string draw_ingest_delay(mock::Random& random);
// Where programs die here: all the points there are, but those of which the plan says why not. A
// daemon with a fault at kAsksToStop has to be sent SIGTERM, or it never comes there.
std::set<std::string> points_of_plan();
inline constexpr std::string_view kAsksToStop = "shutdown.signal";
// The point at which a program with this DL_FAULT killed itself, by what it traced; empty: somebody
// else did.
std::string killer_of(const std::string& trace, const std::string& fault);
// May a program with this DL_FAULT end so? `exit_code`: 128 + the signal where one ended it.
bool explains(const std::string& fault, int exit_code);

}  // namespace dl::chaos

#include "tests/chaos/operator.h"

#include <SQLiteCpp/SQLiteCpp.h>
#include <netinet/in.h>
#include <sys/socket.h>
#include <unistd.h>

#include <fstream>
#include <map>
#include <thread>
#include <vector>

#include "storage/model/check.h"
#include "tests/mock_dsp/json_object.h"

namespace dl::chaos {
namespace {

constexpr int kBusyWaitMs = 20'000;

// Connects, says nothing and waits for the end: a mock that has seen it has seen what came before.
void knock(int port) {
  const int fd = ::socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
  sockaddr_in address{};
  address.sin_family = AF_INET;
  address.sin_port = htons(static_cast<std::uint16_t>(port));
  address.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
  char nothing = 0;
  DL_CHECK(::connect(fd, reinterpret_cast<sockaddr*>(&address), sizeof address) == 0 &&
               ::shutdown(fd, SHUT_WR) == 0 && ::read(fd, &nothing, 1) == 0,
           "the mock takes connections and ends them");
  ::close(fd);
}

// What the DSP made of a POST, by its key.
struct Fate {
  std::string dsp_id;      // empty: nothing was created
  bool is_coming = false;  // it will be applied later
};

std::map<std::string, Fate> read_fates(const std::string& ledger) {
  std::map<std::string, Fate> fates;
  std::ifstream file(ledger);
  for (std::string text; std::getline(file, text);) {
    std::string key, event, dsp_id, note;
    bool created = false;
    mock::read_json_object(text, [&](const mock::JsonField& field) {
      if (field.name == "key") key = field.text;
      if (field.name == "event") event = field.text;
      if (field.name == "dsp_id") dsp_id = field.text;
      if (field.name == "note") note = field.text;
      if (field.name == "created") created = field.text == "true";
    });
    if (key.empty()) continue;
    Fate& fate = fates[key];
    if (created) fate.dsp_id = dsp_id;
    if (event == "applied_late") fate.is_coming = false;
    if (event.empty() && note.find("late_apply") != std::string::npos) fate.is_coming = true;
  }
  return fates;
}

struct Doubt {
  std::int64_t job = 0;
  std::string key;
  bool is_dead = false;  // it has said that the creation of the id that maria named has failed
};

std::vector<Doubt> doubts_in(SQLite::Database& database) {
  std::vector<Doubt> doubts;
  SQLite::Statement rows(
      database,
      "SELECT job.id, request.idempotency_key, coalesce(job.hold LIKE '%gave has failed%', 0) "
      "FROM job JOIN request ON request.job_id = job.id "
      "WHERE job.state = 'in_doubt' AND request.resolution IS NULL AND request.purpose = 'create'");
  while (rows.executeStep())
    doubts.push_back({rows.getColumn(0).getInt64(), rows.getColumn(1).getString(),
                      rows.getColumn(2).getInt() != 0});
  return doubts;
}

}  // namespace

void decide_doubts(const std::string& path, const std::string& ledger, int port) {
  if (::access(path.c_str(), F_OK) != 0) return;
  SQLite::Database database(path, SQLite::OPEN_READWRITE, kBusyWaitMs);
  SQLite::Statement ready(database,
                          "SELECT count(*) FROM sqlite_schema WHERE name = 'operator_act'");
  ready.executeStep();
  if (ready.getColumn(0).getInt() == 0) return;
  ready.reset();
  // First the doubts, then what the DSP knows: a daemon that works meanwhile makes only newer ones.
  const std::vector<Doubt> doubts = doubts_in(database);
  if (doubts.empty()) return;
  knock(port);
  knock(port);  // what was read in the turn of the first is written before the turn of the second
  const std::map<std::string, Fate> fates = read_fates(ledger);
  for (const Doubt& doubt : doubts) {
    const auto known = fates.find(doubt.key);
    const Fate fate = known == fates.end() ? Fate{} : known->second;
    if (fate.is_coming) continue;
    const bool exists = !fate.dsp_id.empty() && !doubt.is_dead;
    SQLite::Statement act(database,
                          "INSERT INTO operator_act (job_id, act, dsp_id, who, why) "
                          "SELECT id, ?1, ?2, 'maria', 'seen at the DSP' FROM job WHERE id = ?3 "
                          "AND state = 'in_doubt'");
    act.bind(1, exists ? "exists" : "absent");
    if (exists) act.bind(2, fate.dsp_id);
    act.bind(3, doubt.job);
    act.exec();
  }
}

void hold_transaction(const std::string& path, std::chrono::milliseconds span) {
  try {
    SQLite::Database database(path, SQLite::OPEN_READWRITE, 0);
    SQLite::Transaction transaction(database, SQLite::TransactionBehavior::IMMEDIATE);
    std::this_thread::sleep_for(span);  // waits: that is what it does
  } catch (const SQLite::Exception&) {
    // nothing to hold: no database yet, or another one writes
  }
}

}  // namespace dl::chaos

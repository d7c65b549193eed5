// The daemon of a simulation: the real Dispatcher and the real Store, and between them an
// interpreter of the dispatcher's commands that stands for the store thread, the worker threads and
// the wire. One object is one life of one process. Thread rule: one thread. Ownership: owns
// dispatcher and store; borrows the world.
#pragma once

#include <deque>
#include <functional>
#include <memory>
#include <set>
#include <vector>

#include "daemon/core/dispatcher.h"
#include "storage/store.h"
#include "tests/sim/world.h"

namespace dl::sim {

inline constexpr Millis kHttpTimeout = 30'000;
inline constexpr Millis kLateArrival = 60'000;
inline constexpr Millis kSettle = 180'000;

StorePolicy store_policy(const World& world);
RequestFormat request_format();

struct DaemonEvents {
  std::function<bool()> about_to_feed;  // the dispatcher; true: the process has just died
  std::function<void()> died;           // in the middle of a transaction; or it gave up (exit 74)
  std::function<void(Ending)> ended;    // on its own; the store was told
};

// What the process was told is durable: nothing of it may ever be forgotten.
struct Acknowledged {
  RequestId last_granted;
  std::vector<RequestId> finished;  // by the last transaction that finished any
  std::string gate_boot_key;        // nothing is sent before the gate, in that boot
  std::int64_t gate_boot_ms = 0;
};

class DaemonProcess {
 public:
  DaemonProcess(World& world, Pid pid, std::unique_ptr<Store> store, Lifetime lifetime,
                Acknowledged& acknowledged, DaemonEvents events);

  // Takes over from whoever died and begins. Errors: what the store says; dead where it died of it.
  Status start();
  void ask_to_stop();
  // Somebody else has committed.
  void look_at_tables();
  // Its sockets close, and what was on the wire for long arrives soon or never. Gives the store
  // back.
  std::unique_ptr<Store> die();
  Pid pid() const { return pid_; }
  // What a planted fault would not have written yet; empty otherwise.
  const Disk::Image& unwritten(std::int64_t since) const {
    static const Disk::Image kNone;
    return before_commit_.first >= since ? before_commit_.second : kNone;
  }
  bool is_dead() const { return world_.vfs.is_dead(pid_); }

 private:
  void feed(const Input& input);
  void feed_in(std::int64_t delay, Input input);
  void carry_out(command::CommitWork& command);
  void carry_out(command::LoadWork& command);
  void carry_out(command::Connect& command);
  void carry_out(command::Close& command);
  void carry_out(command::Send& command);
  void carry_out(command::WakeAt& command);
  void carry_out(command::Record&) {}
  void carry_out(command::Say& command);
  void carry_out(command::Finish& command);

  void when_store_is_free(std::function<void()> act);
  void commit_group();
  void check_gate(const std::vector<WorkResult>& results);
  void acknowledge(const std::vector<WorkBatch>& batches, const std::vector<WorkResult>& results);
  void give_up(const Error& error);
  void set_out(const DspRequest& request);
  static ModelAnswer arrive(World& world, const DspRequest& request);
  void travel(const command::Send& command);
  void reply(const command::Send& command, std::int64_t sent_at, DspReply reply);
  void arrive_late(const DspRequest& request);

  World& world_;
  Pid pid_;
  std::unique_ptr<Store> store_;
  Lifetime lifetime_;
  Acknowledged& acknowledged_;
  DaemonEvents events_;
  std::unique_ptr<Dispatcher> dispatcher_;
  std::vector<WorkBatch> group_;
  std::int64_t store_free_at_ = 0;
  std::int64_t wake_ = 0;            // only the newest WakeAt counts
  std::set<ConnectionId> used_;      // have carried a request
  std::set<ConnectionId> busy_;      // carry one
  std::vector<DspRequest> delayed_;  // on the wire for long
  bool is_over_ = false;
  std::pair<std::int64_t, Disk::Image> before_commit_;
};

}  // namespace dl::sim

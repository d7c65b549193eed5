#include "daemon/take_over.h"

#include <string>
#include <utility>

#include "daemon/daemon.h"
#include "daemon/host.h"
#include "storage/generation_file.h"
#include "storage/version.h"

namespace dl {

Result<TakenOver> take_over(std::unique_ptr<Database> database, const InstanceLock& lock,
                            const StorePolicy& policy, Clock clock, const Patience& patience) {
  Result<GenerationFile> generation = GenerationFile::open(lock.database());
  if (!generation) return generation.error();
  database->leave_guards_to_others();
  auto store = std::make_unique<Store>(std::move(database), request_format(), policy);
  if (Status ok = store->trust_or_hold(std::move(*generation)); !ok) return ok.error();
  InstanceFacts facts = instance_facts(std::string(program_version()));
  facts.lock_device = lock.device();
  facts.lock_inode = lock.inode();
  Result<Recovery> recovery = patience([&] { return store->take_over(facts, clock.now()); });
  if (!recovery) return recovery.error();
  if (Status ok = store->keep_generation(clock.now()); !ok) return ok.error();
  return TakenOver{std::move(store), std::move(*recovery)};
}

}  // namespace dl

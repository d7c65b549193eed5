// Which machine, boot and process this is: what table instance records.
// Thread rule: any thread; reads files and the environment.
#pragma once

#include <cstdint>
#include <string>

#include "storage/store.h"

namespace dl {

// Boot id and time name space: CLOCK_BOOTTIME may be compared only where this is equal. From
// DL_BOOT_ID (systemd's %b, since ProcSubset=pid hides the file) or the kernel's file. Where
// neither can be read the key is unique, so that every start counts as a new boot, which only waits
// longer.
std::string boot_key();
// Raises the limit of open files as far as the hard limit allows and `wanted` asks. What may be
// open now.
std::int64_t allow_open_files(std::int64_t wanted);
// Everything but the lock's device and inode.
InstanceFacts instance_facts(const std::string& version);

}  // namespace dl

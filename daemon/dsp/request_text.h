// The bytes of an HTTP request. The only place where they are put together, so that nothing that
// came from a file or from the DSP can end a header line and begin another. Pure; any thread.
#pragma once

#include <string>
#include <string_view>

#include "daemon/core/dsp.h"
#include "daemon/dsp/worker_pool.h"

namespace dl {

// Appends the whole message of `request`, head and body, to `out`. `token`: empty, or what goes
// behind "Authorization: Bearer". Errors: software, naming the part that holds a byte which has no
// place there. `out` is then unusable.
Status append_request(const WirePolicy& policy, std::string_view token, const DspRequest& request,
                      std::string& out);

}  // namespace dl

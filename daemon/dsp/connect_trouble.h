// Whose fault it is that a connection could not be made, and what can be done where it is this
// machine's own: nobody shall look for it at the DSP. Pure; callable from any thread.
#pragma once

#include <string>

#include "daemon/core/dsp.h"

namespace dl {

// `system_error`: errno of socket(2) or connect(2). What says nothing of this machine is of the DSP
// or the way to it.
ConnectTrouble connect_trouble_of(int system_error);

// What is lacking here and what to do, to stand behind the error's own words; empty where nothing
// of ours is.
std::string advice_on(ConnectTrouble trouble);

}  // namespace dl

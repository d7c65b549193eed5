// libFuzzer's entry point to one target; built by the preset `fuzz` alone.
#include <cstddef>
#include <cstdint>

#include "tests/fuzz/target.h"

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size);
extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  dl::fuzz::DL_FUZZ_TARGET({reinterpret_cast<const char*>(data), size});
  return 0;
}

# dl_warnings: the flags of every target of ours. Warnings are errors; hardening is on in every build.
add_library(dl_warnings INTERFACE)
target_compile_options(dl_warnings INTERFACE
  -Wall -Wextra -Wpedantic -Wconversion -Wsign-conversion -Wshadow -Wformat=2 -Wimplicit-fallthrough
  -Wnon-virtual-dtor -Woverloaded-virtual -Wnull-dereference -Wswitch-enum -Werror
  -fstack-protector-strong -fstack-clash-protection -fcf-protection=full -fno-delete-null-pointer-checks)
if(CMAKE_BUILD_TYPE STREQUAL "Release" OR CMAKE_BUILD_TYPE STREQUAL "RelWithDebInfo")
  # GCC 12 reports null dereferences, overlaps (its bug 105651) and uninitialized members inside its own headers once it
  # inlines. Debug and the sanitizers' builds keep these warnings.
  target_compile_options(dl_warnings INTERFACE -Wno-null-dereference -Wno-restrict -Wno-maybe-uninitialized -U_FORTIFY_SOURCE -D_FORTIFY_SOURCE=3)
endif()
target_compile_definitions(dl_warnings INTERFACE _GLIBCXX_ASSERTIONS)
target_link_options(dl_warnings INTERFACE -Wl,-z,relro,-z,now,-z,noexecstack,--as-needed)
set(CMAKE_POSITION_INDEPENDENT_CODE ON)
target_link_options(dl_warnings INTERFACE -pie)

if(DL_SANITIZE)
  add_compile_options(-fsanitize=${DL_SANITIZE} -fno-omit-frame-pointer -fno-sanitize-recover=all)
  add_link_options(-fsanitize=${DL_SANITIZE})
  if(DL_SANITIZE MATCHES "thread")
    add_compile_options(-Wno-tsan)  # Asio's fences; the locks beside them are what TSan follows
  endif()
  if(DL_SANITIZE MATCHES "fuzzer")
    add_compile_options(-fno-sanitize=function)  # clang 14 cannot emit it for coroutines
  endif()
endif()

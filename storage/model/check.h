// A bug is a check that stays on in release: DL_CHECK prints the condition with its place and
// aborts. systemd starts the process again and recovery sorts out what was on the wire. Never use
// it on outside input (files, answers, operators' SQL): those are values or Errors. Thread rule:
// callable from any thread.
#pragma once

#include <cstdio>
#include <cstdlib>

#define DL_CHECK(condition, why)                                                         \
  do {                                                                                   \
    if (!(condition)) [[unlikely]] {                                                     \
      std::fprintf(stderr, "bug: %s:%d: %s: %s\n", __FILE__, __LINE__, #condition, why); \
      std::abort();                                                                      \
    }                                                                                    \
  } while (false)

// What the world did to us is a Result: a value, or an Error whose code is the process's exit code.
// Three kinds of trouble are never mixed: what the DSP said is a plain value, what the world did is
// a Result, a bug is DL_CHECK. The shape is that of C++23's std::expected, which GCC 12 has only
// with -std=c++23 and clang-tidy 14 not at all. Value types; no thread rule of their own.
#pragma once

#include <string>
#include <utility>
#include <variant>

#include "storage/model/check.h"

namespace dl {

// Exit codes of sysexits.h, the only error codes of this project (docs/OPERATIONS.md lists them).
enum class Errc : int {
  incomplete = 1,      // done, but something failed, is in doubt or is blocked
  usage = 64,          // bad flags
  data = 65,           // the input has errors, or the database is damaged or not ours
  no_input = 66,       // a file that must exist does not, or cannot be read
  unavailable = 69,    // the DSP is out of reach
  software = 70,       // a bug
  cant_create = 73,    // an output file or database cannot be made
  io = 74,             // reading or writing failed; what was committed stays
  busy = 75,           // somebody else holds it; try again
  no_permission = 77,  // the file system or the DSP's credentials refuse
  config = 78,         // configuration error, or a database of a newer program
};

struct Error {
  Errc code;
  std::string message;  // one clear line: what, where, and what to do; context is added once
  // extended (SQLITE_IOERR_FSYNC, SQLITE_FULL, …), of an error that came from SQLite
  int sqlite_code = 0;
};

template <class T>
class [[nodiscard]] Result {
 public:
  // implicit, as those of std::expected
  Result(T value) : state_(std::in_place_index<0>, std::move(value)) {}
  Result(Error error) : state_(std::in_place_index<1>, std::move(error)) {}

  bool has_value() const { return state_.index() == 0; }
  explicit operator bool() const { return has_value(); }
  T& value() & { return checked(); }
  const T& value() const& { return const_cast<Result*>(this)->checked(); }
  T&& value() && { return std::move(checked()); }
  T& operator*() { return checked(); }
  const T& operator*() const { return value(); }
  T* operator->() { return &checked(); }
  const T* operator->() const { return &value(); }
  const Error& error() const {
    DL_CHECK(!has_value(), "error() of a Result that holds a value");
    return std::get<1>(state_);
  }

 private:
  T& checked() {
    DL_CHECK(has_value(), "value() of a Result that holds an error");
    return std::get<0>(state_);
  }
  std::variant<T, Error> state_;
};

struct Done {};  // the value of a Result that has nothing to say but success
using Status = Result<Done>;

}  // namespace dl

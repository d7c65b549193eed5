// SQLite's errors as ours: which Errc an extended result code is, and what to say of it. SQLite
// tells little of what the machine refused (a full disk, a missing right), so the words also look
// at the file and its folder. Thread rule: plain functions, callable from any thread.
#pragma once

#include <string>

#include "storage/model/result.h"

namespace dl {

// The folder a path lies in; "." where it names none.
std::string folder_of(const std::string& path);

// `extended`: sqlite3_extended_errcode(). software: a code that only a fault of ours can cause.
Errc code_of(int extended);

// `message`: sqlite3_errmsg(); `path`: of the database.
std::string words_of(int extended, const char* message, const std::string& path);

// Both, with `what` (who was doing what) in front of the words.
Error error_of(int extended, const char* message, const std::string& path, const std::string& what);

// `verdict`: of quick_check or integrity_check.
Error error_of_damage(const std::string& verdict, const std::string& path);

}  // namespace dl

// A string between double quotes, legal in JSON and in TOML: how foreign text (a DSP's error, a
// file name) enters a log line or a printed configuration without breaking it. Pure; callable from
// any thread.
#pragma once

#include <string>
#include <string_view>

namespace dl {

// Quotes, backslashes and control characters (C0, DEL, C1, line separators, bidirectional
// overrides) are escaped; what is not UTF-8 becomes U+FFFD.
std::string in_quotes(std::string_view text);

// The same without the quotes around, and quotes left alone: for a line that people read.
std::string escaped(std::string_view text);

}  // namespace dl

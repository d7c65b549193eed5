// Two values that differ, shown so that a person sees where: one and the same word may be written with other code points
// (é, or e and an accent; a Latin or a Cyrillic a). Pure; callable from any thread.
#pragma once

#include <string>
#include <string_view>
#include <utility>

namespace dl {

// Both are UTF-8. As shown() (problem.h) shows them, in at most about 80 bytes; \uNNNN for what makes the difference where
// it may not be seen, and without their common beginning where that is long.
std::pair<std::string, std::string> told_apart(std::string_view a, std::string_view b);

}  // namespace dl

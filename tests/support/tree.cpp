#include "tests/support/tree.h"

namespace dl {

std::string in_tree(const std::string& path) { return std::string(DL_SOURCE_DIR) + "/" + path; }

std::string built_program(const std::string& name) { return std::string(DL_BIN_DIR) + "/" + name; }

}  // namespace dl

// Where this source tree and its programs are, known to one file only: the others then compile to
// the same objects in every clone, and a compiler cache serves them all.
#pragma once

#include <string>

namespace dl {

std::string in_tree(const std::string& path);        // "examples/sample.csv" -> its full path
std::string built_program(const std::string& name);  // "dl-ingest" -> its full path

}  // namespace dl

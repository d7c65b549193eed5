// The rules of the house (docs/HACKING.md, "Rules that a machine checks") as pure functions: files
// in, complaints out, so that each rule can be shown to bite on a file made up for it.
#pragma once

#include <string>
#include <vector>

namespace dl::tidy {

struct SourceFile {
  std::string path;  // below the root of the tree: "daemon/core/limiter.h"
  std::string text;
};

// The tree's own .cpp, .h and .sql files, and its scripts; nothing that was built. Ascending by
// path.
std::vector<SourceFile> read_tree(const std::string& root);

using Complaints = std::vector<std::string>;  // "path:line: what is wrong"

// Who may include whose headers: the rings of design 5.
Complaints include_directions(const std::vector<SourceFile>& files);
// One door per third-party library: where its headers may be included. A library without a door is
// a complaint as well.
Complaints library_doors(const std::vector<SourceFile>& files);
// Ring 0 and the core are pure: no clock, chance, thread, file or log; time is an argument.
Complaints purity(const std::vector<SourceFile>& files);
// At most 400 lines a .cpp or .h.
Complaints file_lengths(const std::vector<SourceFile>& files);
// Beyond 300 lines: printed, not refused.
Complaints long_files(const std::vector<SourceFile>& files);
// Tests wait for what happens, not for time; where they must, a comment "waits:" says for what.
Complaints sleeping_tests(const std::vector<SourceFile>& files);
// Nothing half done: no notes to a later self.
Complaints notes_to_self(const std::vector<SourceFile>& files);
// storage/sql: named columns, named parameters, and no time but the one given.
Complaints sql_manners(const std::vector<SourceFile>& files);

}  // namespace dl::tidy

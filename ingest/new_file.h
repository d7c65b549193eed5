// A file that gets its name when all of it is on the disk: whatever ends the program before, there
// is none. It never takes the name of one that is there. Thread rule: one thread.
#pragma once

#include <cstdio>
#include <memory>
#include <string>

#include "storage/model/result.h"

namespace dl {

class NewFile {
 public:
  // Errors: cant_create (also where the name is taken), io.
  static Result<std::unique_ptr<NewFile>> create(const std::string& path);
  // The same for file systems that have no files without a name: one of another name, which a crash
  // leaves behind.
  static Result<std::unique_ptr<NewFile>> create_under_other_name(const std::string& path);

  ~NewFile();  // takes the name away again, unless keep() was called
  NewFile(const NewFile&) = delete;
  NewFile& operator=(const NewFile&) = delete;

  std::FILE* stream() const { return stream_; }
  // Makes it safe on disk, then gives it its name. Errors: cant_create (the name was taken
  // meanwhile), io.
  Status publish();
  void keep() { is_kept_ = true; }

 private:
  NewFile(std::string path, std::string other_name)
      : path_(std::move(path)), other_name_(std::move(other_name)) {}
  static Result<std::unique_ptr<NewFile>> with_stream(int fd, const std::string& path,
                                                      std::string other_name);
  int link() const;  // 0 or -1 with errno

  std::string path_;
  std::string other_name_;  // empty: it has no name
  std::FILE* stream_ = nullptr;
  bool has_name_ = false;  // path_
  bool is_kept_ = false;
};

}  // namespace dl

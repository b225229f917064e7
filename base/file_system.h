// The edge to the disk. Everything that reads or writes files takes a FileSystem, so that tests run
// on memory and faults can be made at will.
#pragma once

#include <cstdint>
#include <map>
#include <string>
#include <vector>

#include "base/outcome.h"

namespace march {

// What can be read.
class FileTree {
 public:
  virtual ~FileTree() = default;

  // What cannot be looked at is taken for a file, so that reading it says why. A link is what it
  // leads to. kOther is a pipe, a socket or a device: reading it may never end.
  enum class Kind { kNothing, kFile, kDirectory, kOther };
  virtual Kind KindOf(const std::string& path) const = 0;

  // The whole file; refused with kInputTooLarge above `limit` bytes.
  virtual Outcome<std::string> Read(const std::string& path, std::uint64_t limit) const = 0;

  // The names in a directory, sorted by byte order, without "." and "..".
  virtual Outcome<std::vector<std::string>> List(const std::string& path) const = 0;
};

class FileSystem : public FileTree {
 public:
  // Replaces the file as one step (write beside it, fsync, rename, fsync the directory): a reader,
  // or a crash, sees the old content or the new. Missing directories are made. `mode` are the
  // permission bits of the new file.
  virtual Outcome<Done> WriteAtomically(const std::string& path, const std::string& content,
                                        unsigned mode) = 0;

  // Likewise for a file that is there: its permission bits stay, and a symbolic link keeps
  // pointing.
  virtual Outcome<Done> RewriteAtomically(const std::string& path, const std::string& content) = 0;

  // Removes a file or a directory with all it holds; a path with nothing there is a success.
  virtual Outcome<Done> Remove(const std::string& path) = 0;
};

// The operating system's files.
class DiskFileSystem final : public FileSystem {
 public:
  Kind KindOf(const std::string& path) const override;
  Outcome<std::string> Read(const std::string& path, std::uint64_t limit) const override;
  Outcome<std::vector<std::string>> List(const std::string& path) const override;
  Outcome<Done> WriteAtomically(const std::string& path, const std::string& content,
                                unsigned mode) override;
  Outcome<Done> RewriteAtomically(const std::string& path, const std::string& content) override;
  Outcome<Done> Remove(const std::string& path) override;
};

// A working file system in memory; directories exist through the files below them.
class MemoryFileSystem final : public FileSystem {
 public:
  Kind KindOf(const std::string& path) const override;
  Outcome<std::string> Read(const std::string& path, std::uint64_t limit) const override;
  Outcome<std::vector<std::string>> List(const std::string& path) const override;
  Outcome<Done> WriteAtomically(const std::string& path, const std::string& content,
                                unsigned mode) override;
  Outcome<Done> RewriteAtomically(const std::string& path, const std::string& content) override;
  Outcome<Done> Remove(const std::string& path) override;

 private:
  std::map<std::string, std::string> files_;
};

}  // namespace march

// A directory for files between programs, gone when this program ends, by a signal too.
#pragma once

#include <string>

namespace march::bench {

// Makes the directory, and from then on SIGINT, SIGTERM and SIGHUP remove it and end the program:
// call it before any thread is started. Nothing else of ours outlives the program: namespaces have
// no names, BPF programs no pins, children die with their parent.
class Workspace {
 public:
  Workspace();
  ~Workspace();
  Workspace(const Workspace&) = delete;
  Workspace& operator=(const Workspace&) = delete;

  const std::string& path() const { return path_; }

 private:
  std::string path_;
};

// Whole files. Errors end the program.
void WriteFile(const std::string& path, const std::string& content);
std::string ReadFile(const std::string& path);

}  // namespace march::bench

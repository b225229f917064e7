// What libbpf would have printed, kept for a diagnostic.
#pragma once

#include <string>

namespace march::bpf {

// While one lives, libbpf's warnings of this thread (the verifier's log among them) go into it
// instead of to stderr. One at a time.
class LibbpfLog {
 public:
  LibbpfLog();
  LibbpfLog(const LibbpfLog&) = delete;
  LibbpfLog& operator=(const LibbpfLog&) = delete;
  ~LibbpfLog();

  // The last lines that say something, joined by " | ".
  std::string Tail() const;

 private:
  std::string text_;
};

}  // namespace march::bpf

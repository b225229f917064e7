// net.core.bpf_jit_harden: whether the kernel hides every constant of a program in two more
// instructions.
#pragma once

#include <sys/types.h>

#include <memory>

namespace march::tests {

// The setting is one of the whole machine. So one process has it at a time (they lock its file),
// and it does not stay as it was set, whatever becomes of who set it: another process waits for the
// end of this one, to put back what was there before.
class JitHardening {
 public:
  // Waits for its turn. Null where the setting cannot be read or written. To be called before this
  // process has threads.
  static std::unique_ptr<JitHardening> Take();
  JitHardening(const JitHardening&) = delete;
  JitHardening& operator=(const JitHardening&) = delete;
  // Returns when the setting is what it was.
  ~JitHardening();

  // For the programs that are loaded from now on. False if the kernel would not.
  bool HideConstants(bool hide);

 private:
  JitHardening(int file, pid_t keeper, int life) : file_(file), keeper_(keeper), life_(life) {}

  int file_;
  pid_t keeper_;
  int life_;  // the end of a pipe whose other end the keeper reads
};

}  // namespace march::tests

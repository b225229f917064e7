// net.core.bpf_jit_harden=2: the kernel hides every constant of a program in two more instructions.
#pragma once

#include <sys/types.h>

#include <memory>

namespace march::tests {

// Has the setting while it lives. It is one of the whole machine, so it must not stay, whatever
// becomes of this process: another one waits for its end, to put back what was there before.
class HardenedJit {
 public:
  // Null where the setting cannot be read or written. Before this process has threads.
  static std::unique_ptr<HardenedJit> Set();
  HardenedJit(const HardenedJit&) = delete;
  HardenedJit& operator=(const HardenedJit&) = delete;
  // Returns when the setting is what it was.
  ~HardenedJit();

 private:
  HardenedJit(pid_t keeper, int life) : keeper_(keeper), life_(life) {}

  pid_t keeper_;
  int life_;  // the end of a pipe whose other end the keeper reads
};

}  // namespace march::tests

// A bundle's program, run on frames of the caller's with BPF_PROG_TEST_RUN: nothing is pinned,
// nothing is attached, no live packet is touched.
#pragma once

#include <cstdint>
#include <memory>
#include <string_view>
#include <vector>

#include "base/outcome.h"
#include "runtime/bpf/kernel.h"

namespace march::bpf {

struct Program;

struct RunResult {
  std::uint32_t xdp_action = 0;  // enum xdp_action
};

// Needs CAP_BPF and CAP_NET_ADMIN. Errors as LoadProgram.
class TestRun {
 public:
  static Outcome<TestRun> Load(const Image& image);
  TestRun(TestRun&&) noexcept;
  TestRun& operator=(TestRun&&) noexcept;
  ~TestRun();

  // `frame` starts at the Ethernet header; the kernel takes 14 bytes to about 3,500. The run counts
  // in the program's counters like a live packet.
  Outcome<RunResult> Run(std::string_view frame);

  // Since Load, summed over the CPUs.
  Outcome<march_counter> ReadSlot(std::uint32_t slot) const;
  Outcome<std::vector<march_counter>> ReadAll() const;

 private:
  explicit TestRun(std::unique_ptr<Program> program);

  std::unique_ptr<Program> program_;
};

}  // namespace march::bpf

// A bundle's program, run on frames of the caller's with BPF_PROG_TEST_RUN: nothing is pinned,
// nothing is attached, no live packet is touched.
#pragma once

#include <chrono>
#include <cstdint>
#include <memory>
#include <string>
#include <string_view>
#include <vector>

#include "base/outcome.h"
#include "runtime/bpf/kernel.h"

namespace march::bpf {

struct Program;

struct RunResult {
  std::uint32_t xdp_action = 0;  // enum xdp_action
};

struct FrameResult {
  std::uint32_t xdp_action = 0;
  std::string frame;  // as the program left it
};

// What the kernel made of a program.
struct LoadFigures {
  std::string kernel_release;               // "6.1.0-56-amd64"
  std::uint32_t verified_instructions = 0;  // 0: Linux before 5.16 does not say
  std::uint32_t native_bytes = 0;  // of machine code; 0: there is no JIT, or the kernel hides it
  std::chrono::microseconds load_time{};  // of maps and program, without filling the tables
  std::uint32_t instructions = 0;         // that are left without those that nothing reaches
  std::vector<std::string> maps{};  // that it uses, by what the kernel keeps of a name: 15 bytes
};

// Whether this process may load XDP programs here: loads the smallest there is. kKernelRefused.
Outcome<Done> MayLoadPrograms();

// Needs CAP_BPF and CAP_NET_ADMIN. Errors as LoadProgram.
class TestRun {
 public:
  static Outcome<TestRun> Load(const Image& image);
  TestRun(TestRun&&) noexcept;
  TestRun& operator=(TestRun&&) noexcept;
  ~TestRun();

  // `frame` starts at the Ethernet header; the kernel takes 14 bytes to about 3,500. The run counts
  // in the program's counters like a live packet. `after`, if given, gets the frame as the program
  // leaves it.
  Outcome<RunResult> Run(std::string_view frame, std::string* after = nullptr);

  // Likewise, as a frame that came in by the loopback interface; needs room for what the program
  // may add, so `frame` has at most 3,000 bytes.
  Outcome<FrameResult> RunForFrame(std::string_view frame);

  // Since Load, summed over the CPUs.
  Outcome<march_counter> ReadSlot(std::uint32_t slot) const;
  Outcome<std::vector<march_counter>> ReadAll() const;

  Outcome<LoadFigures> Figures() const;

 private:
  explicit TestRun(std::unique_ptr<Program> program);

  std::unique_ptr<Program> program_;
};

}  // namespace march::bpf

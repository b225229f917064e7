// Packets whose fate is known beforehand, sent through a bundle's program by the million with
// BPF_PROG_TEST_RUN: nothing is pinned, nothing is attached, no live packet is touched.
#pragma once

#include <cstddef>
#include <cstdint>
#include <memory>
#include <span>
#include <string_view>
#include <vector>

#include "base/outcome.h"
#include "bundle/abi/witness.h"
#include "runtime/bpf/kernel.h"

namespace march::bpf {

// What the program did with a witness instead of what was expected.
struct WitnessMiss {
  std::size_t index = 0;
  std::uint32_t xdp_action = 0;      // enum xdp_action
  std::vector<std::uint32_t> moved;  // the slots that counted it
};

// A program of its own in the kernel: several may run side by side. Needs CAP_BPF, CAP_NET_ADMIN
// and CAP_PERFMON.
class WitnessRun {
 public:
  static constexpr std::size_t kMostAtOnce = std::size_t{1} << 17;

  // `feeder` is the object of bpf-templates/prove/feeder.h. Errors as LoadProgram.
  static Outcome<WitnessRun> Load(const Image& image, std::string_view feeder);
  WitnessRun(WitnessRun&&) noexcept;
  WitnessRun& operator=(WitnessRun&&) noexcept;
  ~WitnessRun();

  // At most kMostAtOnce, all of one family; slots are below the image's. For each, the action must
  // be the expected one, and of all counters exactly those expected must have counted it, once.
  // Returns the first that it was not so for, in order, if any; of many, not all.
  Outcome<std::vector<WitnessMiss>> Run(std::span<const march_witness> witnesses);

 private:
  struct State;
  explicit WitnessRun(std::unique_ptr<State> state);

  std::unique_ptr<State> state_;
};

}  // namespace march::bpf

// Whether the kernel will take a program, said before any kernel has seen it.
//
// A program hardly grows with its policy, but the kernel's verifier follows every loop in it turn
// by turn, in each state in which it can be entered, and gives up after a million instructions
// (kernel/bpf/verifier.c, BPF_COMPLEXITY_LIMIT_INSNS). How often loops turn is in march_shape, so a
// bound on what the verifier will do can be computed from it. The bound's constants were measured;
// verifier_test.cc holds it against the running kernel, with shapes beyond what tables can have.
#pragma once

#include <cstddef>
#include <cstdint>

#include "base/outcome.h"
#include "compiler/clang/bpf_object.h"
#include "compiler/classify/tables.h"
#include "compiler/model/policy.h"
#include "compiler/ruleset/ruleset.h"

namespace march::budget {

// What a kernel verifies at most, in instructions, and the stack of all functions of a program that
// call each other, in bytes (MAX_BPF_STACK).
inline constexpr std::uint64_t kMaxVerified = 1'000'000;
inline constexpr std::uint32_t kMaxStackBytes = 512;
// Of one function. Jumps reach 32,767 instructions far. Where the kernel hides constants
// (net.core.bpf_jit_harden), one instruction becomes up to three, and each of the few calls of
// helpers up to a dozen.
inline constexpr std::size_t kMaxInstructions = 10'000;

struct Limits {
  std::uint64_t max_verified = kMaxVerified;
};

// Instructions that the verifier looks at, at most, by what they are for.
struct Estimate {
  std::uint64_t frame = 0;      // reading the headers, counting
  std::uint64_t gateway = 0;    // connections and whatever else a gateway may ask for
  std::uint64_t addresses = 0;  // searching both addresses, in both families
  std::uint64_t rows = 0;       // what is in the views
  std::uint64_t lists = 0;      // mappings that meet in one place, and their sets of ports
  std::uint64_t l4_tables = 0;  // tables over protocols and ports, and over source ports

  std::uint64_t total() const { return frame + gateway + addresses + rows + lists + l4_tables; }
};

Estimate EstimateVerified(const march_shape& shape);

// Error: kProgramTooLarge, with what of the policy makes the program so large, and the mappings.
Outcome<Done> CheckBudget(const model::Policy& policy, const ruleset::RuleSet& rules,
                          const classify::Tables& tables, const clang::BpfObject& object,
                          const Limits& limits = {});

}  // namespace march::budget

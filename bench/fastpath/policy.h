// A policy of a given size, compiled to a bundle by a process of its own, so that the memory it
// takes is the compiler's alone.
#pragma once

#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

#include "bench/common/workspace.h"
#include "tests/rulesets/rulesets.h"

namespace march::bench {

struct CompileCost {
  double seconds = 0;                   // from the policy's files to the bundle's bytes
  std::uint64_t peak_memory_bytes = 0;  // resident, of the process that compiles
  std::uint64_t bundle_bytes = 0;
  std::uint64_t instructions = 0;  // of the BPF program
};

struct Policy {
  tests::RulesetOptions options;
  std::vector<tests::PlainRule> rules;  // in order of precedence
  CompileCost cost;
  std::string object;  // the bundle's fastpath/xdp.o
  std::string tables;  // the bundle's tables/classifier.bin
  std::uint32_t slots = 0;

  std::string_view family_name() const {
    return options.family == space::Family::kV4 ? "v4" : "v6";
  }
};

Policy MakePolicy(const tests::RulesetOptions& options, const Workspace& workspace);

// The process that compiles: `march-bench-fastpath --compile DIRECTORY`, which MakePolicy starts.
int CompileInChild(const std::string& directory);

// Whether each of the first `count` packets is allowed, by looking at one rule after the other.
std::vector<bool> PlainVerdicts(const std::vector<tests::PlainRule>& rules,
                                const std::vector<tests::Packet>& packets, std::size_t count);

}  // namespace march::bench

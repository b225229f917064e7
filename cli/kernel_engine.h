// The engine that runs the generated program itself.
#pragma once

#include <cstdint>
#include <vector>

#include "base/outcome.h"
#include "compiler/pipeline/engines.h"
#include "compiler/pipeline/pipeline.h"
#include "runtime/bpf/test_run.h"

namespace march::cli {

// Sends a flow's frame through the program with BPF_PROG_TEST_RUN; the verdict is what the program
// returned, the slot is the counter that moved. Needs root or CAP_BPF with CAP_NET_ADMIN.
class KernelEngine final : public prove::Engine {
 public:
  // The compilation must have reached the object stage and outlive the engine.
  static Outcome<KernelEngine> Load(const pipeline::Compilation& compilation);

  Outcome<prove::Decision> Decide(const space::Flow& flow) override;

 private:
  KernelEngine(const pipeline::Compilation& compilation, bpf::TestRun program, std::uint32_t slots);

  // Whether the slot counted one packet more than when last looked at; remembers it.
  Outcome<bool> Moved(std::uint32_t slot);

  const classify::Tables& compiled_;
  prove::TablesEngine tables_;  // which slot to look at first; the kernel's word decides
  bpf::TestRun program_;
  std::vector<std::uint64_t> seen_;     // packets, by slot
  std::vector<std::uint32_t> slot_of_;  // by mapping
  std::vector<std::uint32_t> audit_slots_;
};

}  // namespace march::cli

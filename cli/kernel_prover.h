// The kernel, as a proof uses it.
#pragma once

#include <memory>

#include "compiler/pipeline/pipeline.h"

namespace march::cli {

// Loads programs with runtime/bpf/witness_run.h. Needs root, or CAP_BPF with CAP_NET_ADMIN and
// CAP_PERFMON.
class KernelProver final : public prove::KernelLoader {
 public:
  Outcome<std::unique_ptr<prove::Kernel>> Load(const prove::KernelImage& image) override;
};

}  // namespace march::cli

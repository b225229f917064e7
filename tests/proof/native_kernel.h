// A kernel for proofs that needs no privileges: the program's own headers, compiled for the host.
#pragma once

#include <cstring>
#include <utility>
#include <vector>

#include "bundle/abi/verdict.h"
#include "compiler/classify/native_walk.h"
#include "compiler/prove/frame.h"
#include "compiler/prove/native_reader.h"
#include "compiler/prove/prove.h"
#include "compiler/prove/witness.h"

namespace march::tests {

class NativeKernel final : public prove::Kernel {
 public:
  explicit NativeKernel(std::vector<std::uint64_t> words) : words_(std::move(words)) {}

  Outcome<std::vector<prove::KernelMiss>> Run(std::span<const march_witness> witnesses) override {
    constexpr std::uint32_t kDrop = 1;
    constexpr std::uint32_t kPass = 2;
    std::vector<prove::KernelMiss> misses;
    for (std::size_t i = 0; i < witnesses.size(); ++i) {
      const march_witness& witness = witnesses[i];
      const std::vector<std::uint8_t> frame = prove::BuildFrame(prove::FlowOf(witness));
      march_key key{};
      prove::KernelMiss miss{i, kDrop, {}};
      const std::uint32_t read = march_native_read(frame.data(), frame.size(), &key);
      if (read != MARCH_NATIVE_JUDGE) {
        miss.moved = {read};
      } else {
        std::uint32_t audit = 0;
        const std::uint32_t verdict =
            march_native_classify(words_.data(), words_.size(), &key, &audit);
        if (MARCH_VERDICT_ACTION(verdict) == MARCH_ACTION_ALLOW) miss.xdp_action = kPass;
        miss.moved = {MARCH_VERDICT_SLOT(verdict)};
        if (audit != 0) miss.moved.push_back(audit);
      }
      std::vector<std::uint32_t> expected = {witness.slot};
      if (witness.audit != 0) expected.push_back(witness.audit);
      const std::uint32_t action = witness.action == MARCH_ACTION_ALLOW ? kPass : kDrop;
      if (miss.moved != expected || miss.xdp_action != action) misses.push_back(std::move(miss));
    }
    return misses;
  }

 private:
  std::vector<std::uint64_t> words_;
};

}  // namespace march::tests

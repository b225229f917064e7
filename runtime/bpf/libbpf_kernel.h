// The Linux kernel, through libbpf and bpffs.
#pragma once

#include "runtime/bpf/kernel.h"
#include "runtime/bpf/unique_fd.h"

namespace march::bpf {

class LibbpfKernel final : public Kernel {
 public:
  // `directory` lies on a bpffs and belongs to one marchd alone.
  explicit LibbpfKernel(std::string directory);

  Outcome<Done> Prepare() override;
  Outcome<Pins> Discover() const override;
  Outcome<Done> Load(std::uint64_t generation, const Image& image) override;
  Outcome<Done> LoadLockdown() override;
  Outcome<Done> Unload(std::uint64_t generation) override;
  bool HasInterface(const std::string& name) const override;
  Outcome<Attached> Attach(const std::string& interface, XdpMode mode,
                           std::uint64_t generation) override;
  Outcome<Done> Replace(const std::string& interface, std::uint64_t generation) override;
  Outcome<Done> Detach(const std::string& interface) override;
  bool Settle() override;
  Outcome<std::vector<march_counter>> ReadCounters(std::uint64_t generation) const override;

 private:
  std::string GenerationDirectory(std::uint64_t generation) const;
  std::string LinkPath(const std::string& interface) const;

  std::string directory_;
  UniqueFd lock_;  // on the directory, from Prepare on
};

}  // namespace march::bpf

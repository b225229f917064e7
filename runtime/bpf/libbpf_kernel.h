// The Linux kernel, through libbpf and bpffs.
#pragma once

#include <functional>
#include <optional>
#include <utility>

#include "runtime/bpf/kernel.h"
#include "runtime/bpf/routing.h"
#include "runtime/bpf/state_maps.h"
#include "runtime/bpf/unique_fd.h"

namespace march::bpf {

class LibbpfKernel final : public Kernel {
 public:
  // `directory` lies on a bpffs and belongs to one marchd alone. Every program that is loaded gets
  // `config`, with the secret and the generation, and the maps that it needs.
  explicit LibbpfKernel(std::string directory, const march_config& config = {});

  Outcome<Done> Prepare() override;
  Outcome<Pins> Discover() const override;
  Outcome<Done> Load(std::uint64_t generation, const Image& image) override;
  Outcome<Done> LoadLockdown() override;
  bool IsConfigured(std::uint64_t generation) const override;
  Outcome<Done> Unload(std::uint64_t generation) override;
  bool HasInterface(const std::string& name) const override;
  Outcome<Attached> Attach(const std::string& interface, XdpMode mode,
                           std::uint64_t generation) override;
  Outcome<Done> Replace(const std::string& interface, std::uint64_t generation) override;
  Outcome<Done> Detach(const std::string& interface) override;
  Outcome<std::vector<std::string>> Survey(std::span<const Guarded> interfaces) override;
  bool Settle() override;
  Outcome<std::vector<march_counter>> ReadCounters(std::uint64_t generation) const override;

  // What Prepare does at last: the maps are there, and no program has been loaded or attached.
  using Then = std::function<Outcome<Done>(const StateMaps& state)>;
  void WhenPrepared(Then then) { then_ = std::move(then); }

  // Since Prepare.
  const StateMaps& state() const { return state_; }

  // Where packets are forwarded by the programs, readable when routes may have changed; else -1.
  int routing_fd() const { return routing_ ? routing_->fd() : -1; }
  // Whether routing is no longer what the last survey told the programs. After Prepare.
  bool HasOtherRouting();
  // What it told them; none: nothing.
  const std::optional<PlainRouting>& told_routing() const { return told_routing_; }
  // From now on, surveys tell the programs that they can rely on nothing.
  void ForgetRouting() { routing_.reset(); }

 private:
  march_config ConfigOf(std::uint64_t generation) const;
  bool RunsOtherConfiguration() const;
  static bool WaitForPrograms();
  Outcome<Done> CarryConnections();
  PlainRouting LookAtRouting();
  std::string GenerationDirectory(std::uint64_t generation) const;
  std::string LinkPath(const std::string& interface) const;

  std::string directory_;
  march_config config_;
  UniqueFd lock_;  // on the directory, from Prepare on
  StateMaps state_;
  std::optional<RoutingWatch> routing_;
  std::optional<PlainRouting> told_routing_;
  Then then_ = [](const StateMaps&) -> Outcome<Done> { return Done{}; };
};

}  // namespace march::bpf

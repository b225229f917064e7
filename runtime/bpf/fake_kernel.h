// A kernel in memory, for tests: interfaces that packets arrive at, programs that count them, pins
// that outlive the process which made them.
#pragma once

#include <functional>
#include <map>
#include <set>
#include <string>

#include "runtime/bpf/kernel.h"

namespace march::bpf {

class FakeKernel final : public Kernel {
 public:
  // Called before every operation that changes something. May throw (the process is killed there)
  // or return true (the operation fails).
  std::function<bool(const std::string& operation)> before;

  struct Interface {
    unsigned index = 0;
    bool has_native = true;
    std::string foreign_program;  // "" for none
    bool tells = true;            // false: Discover cannot learn what runs there
    bool transmits = true;        // what a program on another one redirects
  };
  std::map<std::string, Interface> interfaces;
  bool can_settle = true;
  unsigned configuration = 0;  // stands for what programs are loaded with

  // What a reboot leaves: the interfaces.
  void Reboot();

  // A packet of `bytes` arrives and is counted in `slot` by whatever runs there. The generation
  // that saw it; none when no program runs.
  std::optional<std::uint64_t> Deliver(const std::string& interface, std::uint32_t slot,
                                       std::uint64_t bytes);
  // The object bytes a pinned generation was loaded from; "" for lockdown.
  std::string ObjectOf(std::uint64_t generation) const { return programs_.at(generation).object; }
  std::string TablesOf(std::uint64_t generation) const { return programs_.at(generation).tables; }

  Outcome<Done> Prepare() override;
  Outcome<Pins> Discover() const override;
  Outcome<Done> Load(std::uint64_t generation, const Image& image) override;
  Outcome<Done> LoadLockdown() override;
  bool IsConfigured(std::uint64_t generation) const override {
    return programs_.at(generation).configuration == configuration;
  }
  Outcome<Done> Unload(std::uint64_t generation) override;
  bool HasInterface(const std::string& name) const override { return interfaces.contains(name); }
  Outcome<Attached> Attach(const std::string& interface, XdpMode mode,
                           std::uint64_t generation) override;
  Outcome<Done> Replace(const std::string& interface, std::uint64_t generation) override;
  Outcome<Done> Detach(const std::string& interface) override;
  Outcome<std::vector<std::string>> Survey(std::span<const Guarded> guarded) override;
  bool Settle() override { return can_settle; }
  Outcome<std::vector<march_counter>> ReadCounters(std::uint64_t generation) const override;

 private:
  struct Program {
    std::string object;
    std::string tables;
    std::vector<march_counter> counters;
    unsigned configuration = 0;
  };
  struct PinnedLink {
    unsigned index = 0;
    std::uint64_t generation = 0;
    XdpMode mode = XdpMode::kNative;
  };

  bool Fails(const std::string& operation) { return before && before(operation); }
  bool Runs(const std::string& interface) const;

  std::map<std::uint64_t, Program> programs_;
  std::map<std::string, PinnedLink> links_;
};

}  // namespace march::bpf

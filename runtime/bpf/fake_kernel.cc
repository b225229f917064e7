#include "runtime/bpf/fake_kernel.h"

#include <utility>

namespace march::bpf {
namespace {

Diagnostic Refused(const std::string& what) {
  return MakeDiagnostic(Code::kKernelRefused, {}, "cannot " + what + ": refused by the fake");
}

}  // namespace

void FakeKernel::Reboot() {
  programs_.clear();
  links_.clear();
}

bool FakeKernel::Runs(const std::string& interface) const {
  const auto link = links_.find(interface);
  const auto found = interfaces.find(interface);
  return link != links_.end() && found != interfaces.end() &&
         link->second.index == found->second.index;
}

std::optional<std::uint64_t> FakeKernel::Deliver(const std::string& interface, std::uint32_t slot,
                                                 std::uint64_t bytes) {
  if (!Runs(interface)) return std::nullopt;
  const std::uint64_t generation = links_.at(interface).generation;
  std::vector<march_counter>& counters = programs_.at(generation).counters;
  if (slot < counters.size()) {
    counters[slot].packets += 1;
    counters[slot].bytes += bytes;
  }
  return generation;
}

Outcome<Done> FakeKernel::Prepare() {
  return Done{};
}

Outcome<Pins> FakeKernel::Discover() const {
  Pins pins;
  for (const auto& [generation, program] : programs_) pins.generations.push_back(generation);
  for (const auto& [interface, pinned] : links_) {
    Link link{interface, LinkState::kUnknown, std::nullopt, XdpMode::kAuto};
    const auto found = interfaces.find(interface);
    if (found == interfaces.end() || found->second.tells) {
      link = {interface, Runs(interface) ? LinkState::kAlive : LinkState::kDead, pinned.generation,
              pinned.mode};
    }
    pins.links.push_back(std::move(link));
  }
  return pins;
}

Outcome<Done> FakeKernel::Load(std::uint64_t generation, const Image& image) {
  if (Fails("load")) return Refused("load the program");
  programs_[generation] = {std::string(image.object), std::string(image.tables),
                           std::vector<march_counter>(image.slots), configuration};
  return Done{};
}

Outcome<Done> FakeKernel::LoadLockdown() {
  if (Fails("load lockdown")) return Refused("load the lockdown program");
  programs_[kLockdown] = {};
  return Done{};
}

Outcome<Done> FakeKernel::Unload(std::uint64_t generation) {
  if (Fails("unload")) return Refused("unpin");
  programs_.erase(generation);
  return Done{};
}

Outcome<Attached> FakeKernel::Attach(const std::string& interface, XdpMode mode,
                                     std::uint64_t generation) {
  if (Fails("attach")) return Refused("attach to " + interface);
  const auto found = interfaces.find(interface);
  if (found == interfaces.end() || !programs_.contains(generation)) {
    return Refused("attach to " + interface);
  }
  if (Runs(interface)) return Refused("attach beside a link of its own");
  if (!found->second.foreign_program.empty()) {
    return Refused("attach beside " + found->second.foreign_program);
  }
  Attached attached;
  attached.mode = mode == XdpMode::kAuto ? XdpMode::kNative : mode;
  if (attached.mode == XdpMode::kNative && !found->second.has_native) {
    if (mode == XdpMode::kNative) return Refused("attach to " + interface + " in native mode");
    attached = {XdpMode::kGeneric, "Operation not supported"};
  }
  links_[interface] = {found->second.index, generation, attached.mode};
  return attached;
}

Outcome<Done> FakeKernel::Replace(const std::string& interface, std::uint64_t generation) {
  if (Fails("replace")) return Refused("replace the program on " + interface);
  if (!Runs(interface) || !programs_.contains(generation)) {
    return Refused("replace the program on " + interface);
  }
  links_[interface].generation = generation;
  return Done{};
}

Outcome<std::vector<std::string>> FakeKernel::Survey(std::span<const Guarded> guarded) {
  std::vector<std::string> problems;
  for (const Guarded& interface : guarded) {
    const auto found = interfaces.find(interface.name);
    const bool is_slow = interface.fast && found != interfaces.end() && !found->second.transmits;
    problems.push_back(is_slow ? interface.name + " does not transmit" : "");
  }
  return problems;
}

Outcome<Done> FakeKernel::Detach(const std::string& interface) {
  if (Fails("detach")) return Refused("detach from " + interface);
  links_.erase(interface);
  return Done{};
}

Outcome<std::vector<march_counter>> FakeKernel::ReadCounters(std::uint64_t generation) const {
  const auto found = programs_.find(generation);
  if (found == programs_.end()) return Refused("read the counters");
  return found->second.counters;
}

}  // namespace march::bpf

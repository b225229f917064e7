#include "runtime/apply/applier.h"

#include <algorithm>
#include <utility>

namespace march::apply {
namespace {

constexpr std::size_t kKeptGenerations = 5;

// Whether a link runs it, or might.
bool Runs(const bpf::Pins& pins, std::uint64_t generation) {
  return std::any_of(pins.links.begin(), pins.links.end(), [&](const bpf::Link& link) {
    return link.state != bpf::LinkState::kDead &&
           link.generation.value_or(generation) == generation;
  });
}

}  // namespace

const bpf::Link* FindLink(const bpf::Pins& pins, const std::string& interface) {
  const auto found = std::find_if(pins.links.begin(), pins.links.end(), [&](const bpf::Link& link) {
    return link.interface == interface;
  });
  return found == pins.links.end() ? nullptr : &*found;
}

Applier::Applier(Config config, bpf::Kernel& kernel, FileSystem& files, telemetry::Logger& log)
    : config_(std::move(config)),
      kernel_(kernel),
      log_(log),
      store_(files, config_.state_directory) {
  for (const Interface& interface : config_.interfaces) {
    interfaces_[interface.name].name = interface.name;
  }
}

std::optional<std::uint64_t> Applier::InForce() const {
  if (current_) return current_->number;
  if (lockdown_) return bpf::kLockdown;
  return std::nullopt;
}

void Applier::Settle() {
  if (kernel_.Settle()) return;
  log_.Write(telemetry::Level::kWarning, "counts_inexact",
             {{"message", "the kernel has no membarrier; packets in flight may go uncounted"}});
}

void Applier::Note(const std::string& interface, std::string mode, std::string problem) {
  telemetry::InterfaceState& state = interfaces_[interface];
  const telemetry::InterfaceState old = state;
  state.mode = std::move(mode);
  state.problem = std::move(problem);
  if (!state.problem.empty() && state.problem != old.problem) {
    log_.Write(telemetry::Level::kError, "interface_unprotected",
               {{"interface", interface}, {"message", state.problem}});
  } else if (!state.mode.empty() && state.mode != old.mode) {
    log_.Write(telemetry::Level::kInfo, "interface_attached",
               {{"interface", interface}, {"mode", state.mode}});
  }
}

// Makes one interface run `generation`, whatever it runs now. True: another program was replaced.
bool Applier::Steer(const Interface& interface, const bpf::Link* link, std::uint64_t generation) {
  if (link != nullptr && link->state == bpf::LinkState::kUnknown) {
    Note(interface.name, "", "the kernel does not say what runs on " + interface.name);
    return false;
  }
  if (link != nullptr && link->state == bpf::LinkState::kAlive) {
    if (link->generation != generation) {
      const auto replaced = kernel_.Replace(interface.name, generation);
      if (!replaced.ok()) {
        Note(interface.name, std::string(NameOf(link->mode)),
             replaced.diagnostics().front().message);
        return false;
      }
    }
    Note(interface.name, std::string(NameOf(link->mode)), "");
    return link->generation != generation;
  }
  if (!kernel_.HasInterface(interface.name)) {
    Note(interface.name, "", "there is no interface " + interface.name);
    return false;
  }
  const auto attached = kernel_.Attach(interface.name, interface.mode, generation);
  if (!attached.ok()) {
    Note(interface.name, "", attached.diagnostics().front().message);
    return false;
  }
  if (!attached->native_refusal.empty()) {
    log_.Write(telemetry::Level::kWarning, "generic_xdp",
               {{"interface", interface.name}, {"message", attached->native_refusal}});
  }
  interfaces_[interface.name].mode.clear();  // so that it is told of, even in its old mode
  Note(interface.name, std::string(NameOf(attached->mode)), "");
  return false;
}

void Applier::Survey() {
  std::vector<bpf::Guarded> guarded;
  guarded.reserve(config_.interfaces.size());
  for (const Interface& interface : config_.interfaces) {
    guarded.push_back({interface.name, interface.fast});
  }
  const auto problems = kernel_.Survey(guarded);
  if (!problems.ok()) return log_.Write(telemetry::Level::kError, "survey", problems.diagnostics());
  for (std::size_t i = 0; i < guarded.size(); ++i) {
    telemetry::InterfaceState& state = interfaces_[guarded[i].name];
    const std::string& problem = problems->at(i);
    if (!problem.empty() && problem != state.slow) {
      log_.Write(telemetry::Level::kWarning, "interface_slow",
                 {{"interface", guarded[i].name}, {"message", problem}});
    }
    state.fast = guarded[i].fast && problem.empty();
    state.slow = problem;
  }
}

void Applier::Reconcile() {
  const auto generation = InForce();
  const auto pins = kernel_.Discover();
  if (!pins.ok()) return log_.Write(telemetry::Level::kError, "discover", pins.diagnostics());
  bool replaced = false;
  if (generation) {
    for (const Interface& interface : config_.interfaces) {
      replaced |= Steer(interface, FindLink(*pins, interface.name), *generation);
    }
  }
  if (replaced) Settle();
  Survey();
  if (const auto tidied = Tidy(); !tidied.ok()) {
    log_.Write(telemetry::Level::kError, "tidy", tidied.diagnostics());
  }
}

const bundle::MappingTable* Applier::NamesOf(std::uint64_t generation) const {
  const auto [it, is_new] = names_.try_emplace(generation);
  if (is_new) {
    const auto bytes = store_.ReadBundle(generation);
    const auto bundle = bytes.ok() ? bundle::Read(*bytes) : Outcome<bundle::Bundle>(Diagnostics{});
    const std::string* json = bundle.ok() ? bundle->Find(bundle::kMappingsPath) : nullptr;
    auto names = json != nullptr ? bundle::ReadMappings(*json)
                                 : Outcome<bundle::MappingTable>(Diagnostics{});
    if (names.ok()) it->second = std::move(names).value();
  }
  return it->second ? &*it->second : nullptr;
}

std::optional<std::uint64_t> Applier::CurrentNumber() const {
  return current_ ? std::optional(current_->number) : std::nullopt;
}

Outcome<std::string> Applier::StoredBundle(std::uint64_t generation) const {
  return store_.ReadBundle(generation);
}

// Brings disk and pins in line with what is in force: records it, folds and unpins every generation
// that nothing runs, drops bundles of long ago. Each step may be the last before a crash, and all
// can be repeated. The caller has settled the kernel.
Outcome<Done> Applier::Tidy() {
  if (current_ && recorded_ != current_->number) {
    if (auto written = store_.WriteCurrent(current_->number); !written.ok()) return written;
    recorded_ = current_->number;
  }
  const auto pins = kernel_.Discover();
  if (!pins.ok()) return pins.diagnostics();
  State next = state_;
  if (current_) {
    next.highest_serial = std::max(next.highest_serial, current_->manifest.serial);
    next.last_generation = std::max(next.last_generation, current_->number);
  }
  std::erase_if(next.folded, [&](std::uint64_t generation) {
    return !std::binary_search(pins->generations.begin(), pins->generations.end(), generation);
  });
  std::vector<std::uint64_t> leaving;
  Diagnostics unread;
  for (const std::uint64_t generation : pins->generations) {
    if (generation == InForce() || Runs(*pins, generation)) continue;
    if (generation != bpf::kLockdown && !next.folded.contains(generation)) {
      const auto counters = kernel_.ReadCounters(generation);
      if (!counters.ok()) {
        // It keeps its pins until they can be read; what else there is to record is not held up.
        unread = counters.diagnostics();
        continue;
      }
      next.ledger.Add(NamesOf(generation), *counters);
      next.folded.insert(generation);
    }
    leaving.push_back(generation);
  }
  next.ledger.LimitRetired(current_ ? NamesOf(current_->number) : nullptr);
  if (next != state_) {
    if (auto written = store_.WriteState(next); !written.ok()) return written;
    state_ = std::move(next);
  }
  for (const std::uint64_t generation : leaving) {
    if (auto unloaded = kernel_.Unload(generation); !unloaded.ok()) return unloaded;
    names_.erase(generation);
  }
  if (!unread.empty()) return unread;
  // Without a generation in force, every stored one may yet be needed for a look.
  if (lockdown_) return Done{};
  // A number higher than any that was in force is left from a bundle that did not make it.
  const std::uint64_t newest = std::max(recorded_.value_or(0), state_.last_generation);
  std::vector<std::uint64_t> stored = store_.Stored();
  std::size_t kept = 0;
  for (auto it = stored.rbegin(); it != stored.rend(); ++it) {
    if (*it <= newest && kept < kKeptGenerations) {
      ++kept;
    } else if (*it != recorded_ && !Runs(*pins, *it)) {
      if (auto removed = store_.RemoveBundle(*it); !removed.ok()) return removed;
      names_.erase(*it);
    }
  }
  return Done{};
}

Outcome<Done> Applier::Withdraw() {
  const auto pins = kernel_.Discover();
  if (!pins.ok()) return pins.diagnostics();
  for (const bpf::Link& link : pins->links) {
    if (auto detached = kernel_.Detach(link.interface); !detached.ok()) return detached;
    log_.Write(telemetry::Level::kInfo, "detached", {{"interface", link.interface}});
  }
  Settle();
  current_.reset();
  lockdown_ = false;
  return Tidy();
}

}  // namespace march::apply

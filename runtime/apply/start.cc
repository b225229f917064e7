// How marchd finds its place: after a restart, a crash at any point, a reboot.
#include <algorithm>
#include <set>
#include <utility>

#include "runtime/apply/applier.h"

namespace march::apply {

using telemetry::Level;

// A lost state.json costs the old counts, never the rollback protection: the stored bundles know
// the serials. It is written before the first bundle is stored, so that a gateway which lost it can
// be told from a new one. True: it was lost.
bool Applier::RecoverState() {
  auto state = store_.ReadState();
  if (state.ok()) {
    state_ = std::move(state).value();
    return false;
  }
  if (store_.IsEmpty()) {
    if (auto written = store_.WriteState(state_); !written.ok()) {
      log_.Write(Level::kError, "state_not_written", written.diagnostics());
    }
    return false;
  }
  log_.Write(Level::kError, "state_lost", state.diagnostics());
  for (const std::uint64_t generation : store_.Stored()) {
    const auto bytes = store_.ReadBundle(generation);
    if (!bytes.ok()) continue;
    const auto bundle = bundle::Verify(*bytes, config_.trust);
    if (!bundle.ok()) continue;
    state_.highest_serial = std::max(state_.highest_serial, bundle->manifest.serial);
    state_.last_generation = generation;
  }
  return true;
}

// What to put in force, best first. Links that all run one generation settle it: that one was
// swapped in, whether or not `current` was written. Otherwise `current` decides, then whatever runs
// somewhere, then older generations.
std::vector<std::uint64_t> Applier::Candidates(const bpf::Pins& pins) const {
  std::vector<std::uint64_t> candidates;
  std::set<std::uint64_t> running;
  bool foreign = false;
  for (const bpf::Link& link : pins.links) {
    if (link.state == bpf::LinkState::kDead) continue;
    if (!link.generation) foreign = true;
    if (link.generation && *link.generation != bpf::kLockdown) running.insert(*link.generation);
  }
  if (running.size() == 1 && !foreign) candidates.push_back(*running.begin());
  if (recorded_) candidates.push_back(*recorded_);
  candidates.insert(candidates.end(), running.rbegin(), running.rend());

  const Store::Current current = store_.ReadCurrent();
  if (!current.exists && state_.last_generation == 0) return candidates;
  const std::uint64_t newest =
      recorded_ ? *recorded_ : std::max(state_.last_generation, std::uint64_t{1});
  const std::vector<std::uint64_t> stored = store_.Stored();
  for (auto it = stored.rbegin(); it != stored.rend(); ++it) {
    if (*it <= newest) candidates.push_back(*it);
  }
  return candidates;
}

// A pinned generation is in force on the kernel's word; its bundle is read for its names alone.
void Applier::Adopt(std::uint64_t generation) {
  Generation adopted{generation, {}, {}};
  const auto bytes = store_.ReadBundle(generation);
  auto bundle = bytes.ok() ? bundle::Verify(*bytes, config_.trust)
                           : Outcome<bundle::Bundle>(bytes.diagnostics());
  if (!bundle.ok()) {
    log_.Write(Level::kError, "stored_bundle", bundle.diagnostics());
    if (bytes.ok()) bundle = bundle::Read(*bytes);
  }
  if (bundle.ok()) {
    adopted.manifest = bundle->manifest;
    adopted.digest = bundle::Sha256Hex(*bytes);
  }
  current_ = std::move(adopted);
  log_.Write(Level::kInfo, "taken_over",
             {{"generation", generation}, {"serial", current_->manifest.serial}});
}

Outcome<Done> Applier::LoadStored(std::uint64_t generation) {
  auto bytes = store_.ReadBundle(generation);
  if (!bytes.ok()) return std::move(bytes).diagnostics();
  const auto bundle = bundle::Verify(*bytes, config_.trust);
  if (!bundle.ok()) return bundle.diagnostics();
  if (auto kernel = CheckKernel(bundle->manifest); !kernel.ok()) return kernel;
  const std::string* object = bundle->Find(bundle::kXdpObjectPath);
  const std::string* tables = bundle->Find(bundle::kClassifierPath);
  const std::string* mappings = bundle->Find(bundle::kMappingsPath);
  if (object == nullptr || tables == nullptr || mappings == nullptr) {
    return MakeDiagnostic(Code::kBundleMalformed, {}, "the bundle has no program");
  }
  auto names = bundle::ReadMappings(*mappings);
  if (!names.ok()) return std::move(names).diagnostics();
  if (state_.folded.contains(generation)) {
    // Its counters start again from zero, so they will have to be folded again.
    if (auto unloaded = kernel_.Unload(generation); !unloaded.ok()) return unloaded;
    State next = state_;
    next.folded.erase(generation);
    if (auto written = store_.WriteState(next); !written.ok()) return written;
    state_ = std::move(next);
  }
  if (auto loaded = kernel_.Load(generation, {*object, *tables, SlotsOf(*names)}); !loaded.ok()) {
    return loaded;
  }
  current_ = {generation, bundle->manifest, bundle::Sha256Hex(*bytes)};
  names_[generation] = std::move(names).value();
  log_.Write(Level::kInfo, "restored",
             {{"generation", generation}, {"serial", bundle->manifest.serial}});
  return Done{};
}

Outcome<Done> Applier::EnterLockdown(const bpf::Pins& pins) {
  const bool pinned =
      std::binary_search(pins.generations.begin(), pins.generations.end(), bpf::kLockdown);
  if (!pinned) {
    if (auto loaded = kernel_.LoadLockdown(); !loaded.ok()) return loaded;
  }
  lockdown_ = true;
  log_.Write(Level::kError, "lockdown",
             {{"message", lockdown_reason_}, {"hint", "apply a good bundle"}});
  return Done{};
}

// A program keeps what it was loaded with. If the gateway is configured otherwise today, the bundle
// in force is put in force once more, as a generation of its own.
void Applier::Reconfigure() {
  if (!current_ || kernel_.IsConfigured(current_->number)) return;
  const auto bytes = store_.ReadBundle(current_->number);
  const auto bundle = bytes.ok() ? bundle::Verify(*bytes, config_.trust)
                                 : Outcome<bundle::Bundle>(bytes.diagnostics());
  const auto installed =
      bundle.ok() ? Install(*bytes, *bundle) : Outcome<Applied>(bundle.diagnostics());
  if (installed.ok()) {
    log_.Write(Level::kInfo, "reconfigured", {{"generation", current_->number}});
  } else {
    log_.Write(Level::kError, "not_reconfigured", installed.diagnostics());
  }
}

Outcome<Done> Applier::Start() {
  if (auto prepared = kernel_.Prepare(); !prepared.ok()) return prepared;
  const bool state_lost = RecoverState();
  recorded_ = store_.ReadCurrent().generation;

  auto pins = kernel_.Discover();
  if (!pins.ok()) return std::move(pins).diagnostics();
  for (const bpf::Link& link : pins->links) {
    if (interfaces_.contains(link.interface)) continue;
    if (auto detached = kernel_.Detach(link.interface); !detached.ok()) return detached;
    log_.Write(Level::kWarning, "detached",
               {{"interface", link.interface}, {"message", "no longer in the configuration"}});
  }
  std::erase_if(pins->links,
                [&](const bpf::Link& link) { return !interfaces_.contains(link.interface); });

  std::set<std::uint64_t> tried;
  for (const std::uint64_t generation : Candidates(*pins)) {
    if (current_ || !tried.insert(generation).second) continue;
    const bool pinned =
        std::binary_search(pins->generations.begin(), pins->generations.end(), generation);
    if (pinned && !state_.folded.contains(generation)) {
      Adopt(generation);
    } else if (const auto loaded = LoadStored(generation); !loaded.ok()) {
      log_.Write(Level::kError, "generation_unusable", {{"generation", generation}});
      log_.Write(Level::kError, "generation_unusable", loaded.diagnostics());
    }
  }
  const bool had_policy =
      state_lost || store_.ReadCurrent().exists || state_.last_generation > 0 || !tried.empty();
  if (!current_ && had_policy) {
    lockdown_reason_ = "no stored generation can be put in force: every packet is dropped";
  } else if (!current_ && config_.drop_without_policy) {
    lockdown_reason_ = "no policy was accepted yet and without_policy is drop";
  } else if (!current_) {
    log_.Write(Level::kWarning, "not_enforcing",
               {{"message", "no policy was accepted yet: every packet passes"},
                {"hint", "apply a bundle with `marchctl apply`"}});
  }
  if (!lockdown_reason_.empty()) {
    if (auto locked = EnterLockdown(*pins); !locked.ok()) return locked;
  }
  if (const auto generation = InForce()) {
    for (const Interface& interface : config_.interfaces) {
      const bpf::Link* link = FindLink(*pins, interface.name);
      Steer(interface, link, *generation);
      if (link != nullptr && link->state == bpf::LinkState::kAlive &&
          interface.mode != bpf::XdpMode::kAuto && interface.mode != link->mode) {
        log_.Write(Level::kWarning, "mode_kept",
                   {{"interface", interface.name},
                    {"mode", NameOf(link->mode)},
                    {"message", "a running interface is not re-attached to change its mode"},
                    {"hint", "stop marchd once with --detach-on-exit"}});
      }
    }
  }
  Settle();
  if (const auto tidied = Tidy(); !tidied.ok()) {
    log_.Write(Level::kError, "tidy", tidied.diagnostics());
  }
  Reconfigure();
  Survey();
  return Done{};
}

}  // namespace march::apply

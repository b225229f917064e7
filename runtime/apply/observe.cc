// What the applier tells about itself.
#include <set>
#include <string_view>
#include <utility>

#include "runtime/apply/applier.h"

namespace march::apply {
namespace {

void FillCounts(const Ledger& ledger, const bundle::MappingTable* names,
                telemetry::Snapshot& snapshot) {
  std::set<std::pair<std::string_view, std::string_view>> present;
  if (names != nullptr) {
    snapshot.default_action = names->default_action;
    for (const bundle::MappingInfo& mapping : names->mappings) {
      const auto count_of = [&](std::string_view action) {
        const auto counted = ledger.mappings.find({mapping.name, std::string(action)});
        return counted == ledger.mappings.end() ? telemetry::Count{} : counted->second;
      };
      telemetry::MappingCount entry{mapping.name, mapping.action, mapping.priority, mapping.place,
                                    count_of(mapping.action)};
      if (mapping.limited) {
        entry.above_limit = count_of(telemetry::kAboveLimit);
        present.emplace(mapping.name, telemetry::kAboveLimit);
      }
      present.emplace(mapping.name, mapping.action);
      snapshot.mappings.push_back(std::move(entry));
    }
  }
  for (const auto& [key, count] : ledger.mappings) {
    if (!present.contains({key.name, key.action})) {
      snapshot.retired.push_back({key.name, key.action, count});
    }
  }
  for (std::uint32_t slot = 0; slot < MARCH_SLOT_DEFAULT; ++slot) {
    const std::string name(bundle::SlotName(slot));
    if (name.empty()) continue;
    const auto counted = ledger.slots.find(name);
    snapshot.slots.push_back(
        {name, bundle::SlotPasses(slot),
         counted == ledger.slots.end() ? telemetry::Count{} : counted->second});
  }
  auto defaults = ledger.defaults;
  if (names != nullptr) defaults.try_emplace(names->default_action);
  snapshot.defaults.assign(defaults.begin(), defaults.end());
  snapshot.retired_rest = ledger.rest;
}

}  // namespace

Outcome<telemetry::Snapshot> Applier::Observe() const {
  telemetry::Snapshot snapshot;
  snapshot.highest_serial = state_.highest_serial;
  snapshot.swaps = swaps_;
  snapshot.refused = refused_;
  if (current_) {
    snapshot.enforcement = telemetry::Enforcement::kEnforcing;
    snapshot.generation = current_->number;
    snapshot.serial = current_->manifest.serial;
    snapshot.policy_digest = current_->manifest.policy_digest;
    snapshot.cluster = current_->manifest.cluster;
    snapshot.tool_version = current_->manifest.tool_version;
  } else if (lockdown_) {
    snapshot.enforcement = telemetry::Enforcement::kLockdown;
    snapshot.problem = lockdown_reason_;
  } else {
    snapshot.problem = "no policy was accepted yet";
  }
  for (const Interface& interface : config_.interfaces) {
    const telemetry::InterfaceState& state = interfaces_.at(interface.name);
    if (snapshot.problem.empty() && !state.problem.empty()) snapshot.problem = state.problem;
    snapshot.interfaces.push_back(state);
  }
  const auto pins = kernel_.Discover();
  if (!pins.ok()) return pins.diagnostics();
  // What is pinned and not yet part of the ledger, normally the generation in force alone.
  Ledger ledger = state_.ledger;
  for (const std::uint64_t generation : pins->generations) {
    if (generation == bpf::kLockdown || state_.folded.contains(generation)) continue;
    const auto counters = kernel_.ReadCounters(generation);
    if (!counters.ok()) return counters.diagnostics();
    ledger.Add(NamesOf(generation), *counters);
  }
  FillCounts(ledger, current_ ? NamesOf(current_->number) : nullptr, snapshot);
  return snapshot;
}

}  // namespace march::apply

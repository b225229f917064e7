#include "runtime/apply/ledger.h"

#include <set>
#include <string_view>
#include <utility>

namespace march::apply {
namespace {

void AddTo(telemetry::Count& count, const march_counter& counter) {
  count.packets += counter.packets;
  count.bytes += counter.bytes;
}

}  // namespace

void Ledger::Add(const bundle::MappingTable* names, const std::vector<march_counter>& counters) {
  for (std::uint32_t slot = 0; slot < counters.size(); ++slot) {
    const march_counter& counter = counters[slot];
    if (counter.packets == 0 && counter.bytes == 0) continue;
    if (slot < MARCH_SLOT_DEFAULT) {
      const std::string_view name = bundle::SlotName(slot);
      AddTo(name.empty() ? rest : slots[std::string(name)], counter);
    } else if (names != nullptr && slot == MARCH_SLOT_DEFAULT) {
      AddTo(defaults[names->default_action], counter);
    } else if (names != nullptr && slot - MARCH_SLOT_FIRST_MAPPING < names->mappings.size()) {
      const bundle::MappingInfo& mapping = names->mappings[slot - MARCH_SLOT_FIRST_MAPPING];
      AddTo(mappings[{mapping.name, mapping.action}], counter);
    } else {
      AddTo(rest, counter);
    }
  }
}

void Ledger::LimitRetired(const bundle::MappingTable* names) {
  if (mappings.size() <= kMaxRetired) return;
  std::set<std::pair<std::string_view, std::string_view>> present;
  if (names != nullptr) {
    for (const bundle::MappingInfo& mapping : names->mappings) {
      present.emplace(mapping.name, mapping.action);
    }
  }
  std::size_t retired = 0;
  for (auto it = mappings.begin(); it != mappings.end();) {
    if (present.contains({it->first.name, it->first.action}) || ++retired <= kMaxRetired) {
      ++it;
      continue;
    }
    rest.packets += it->second.packets;
    rest.bytes += it->second.bytes;
    it = mappings.erase(it);
  }
}

}  // namespace march::apply

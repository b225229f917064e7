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
  // In the order of the slots behind those of the mappings.
  std::vector<const bundle::MappingInfo*> limited;
  if (names != nullptr) {
    for (const bundle::MappingInfo& mapping : names->mappings) {
      if (mapping.limited) limited.push_back(&mapping);
    }
  }
  for (std::uint32_t slot = 0; slot < counters.size(); ++slot) {
    const march_counter& counter = counters[slot];
    if (counter.packets == 0 && counter.bytes == 0) continue;
    if (slot < MARCH_SLOT_DEFAULT) {
      const std::string_view name = bundle::SlotName(slot);
      AddTo(name.empty() ? rest : slots[std::string(name)], counter);
    } else if (names != nullptr && slot == MARCH_SLOT_DEFAULT) {
      AddTo(defaults[names->default_action], counter);
    } else if (names != nullptr) {
      const std::size_t place = slot - MARCH_SLOT_FIRST_MAPPING;
      const std::size_t behind = place - names->mappings.size();
      if (place < names->mappings.size()) {
        const bundle::MappingInfo& mapping = names->mappings[place];
        AddTo(mappings[{mapping.name, mapping.action}], counter);
      } else {
        AddTo(behind < limited.size()
                  ? mappings[{limited[behind]->name, std::string(telemetry::kAboveLimit)}]
                  : rest,
              counter);
      }
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
      if (mapping.limited) present.emplace(mapping.name, telemetry::kAboveLimit);
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

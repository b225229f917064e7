#include "runtime/flows/mapping_names.h"

#include "bundle/abi/verdict.h"

namespace march::flows {
namespace {

constexpr const char* kDefaultName = "(default)";

const bundle::MappingInfo* MappingAt(const bundle::MappingTable* table, std::uint64_t slot) {
  if (table == nullptr || slot < MARCH_SLOT_FIRST_MAPPING) return nullptr;
  const std::uint64_t index = slot - MARCH_SLOT_FIRST_MAPPING;
  return index < table->mappings.size() ? &table->mappings[index] : nullptr;
}

}  // namespace

std::string_view NameOf(DecidedBy by) {
  switch (by) {
    case DecidedBy::kMapping:
      return "mapping";
    case DecidedBy::kDefault:
      return "default";
    case DecidedBy::kUnknown:
      break;
  }
  return "unknown";
}

const bundle::MappingTable* MappingNames::TableOf(std::uint64_t generation) {
  const auto [it, is_new] = tables_.try_emplace(generation, nullptr);
  if (is_new) it->second = mappings_of_(generation);
  return it->second;
}

Decision MappingNames::Find(std::uint64_t judged) {
  const std::uint64_t slot = MARCH_FLOW_SLOT(judged);
  if (slot == MARCH_SLOT_DEFAULT) return {DecidedBy::kDefault, ""};
  const auto* mapping = MappingAt(TableOf(MARCH_FLOW_GENERATION(judged)), slot);
  return mapping != nullptr ? Decision{DecidedBy::kMapping, mapping->name} : Decision{};
}

bool MappingNames::IsDecidedBy(std::uint64_t judged, const std::string& name) {
  const std::uint64_t slot = MARCH_FLOW_SLOT(judged);
  if (slot == MARCH_SLOT_DEFAULT) return name == kDefaultName;
  const auto* mapping = MappingAt(TableOf(MARCH_FLOW_GENERATION(judged)), slot);
  return mapping != nullptr && mapping->name == name;
}

}  // namespace march::flows

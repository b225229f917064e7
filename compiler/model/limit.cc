#include <algorithm>
#include <nlohmann/json.hpp>

#include "compiler/model/read.h"

namespace march::model {
namespace {

using nlohmann::json;

std::optional<std::uint64_t> NumberIn(const json& value, const char* key) {
  const auto found = value.find(key);
  if (found == value.end() || !found->is_number_unsigned()) return std::nullopt;
  return found->get<std::uint64_t>();
}

}  // namespace

std::optional<Limit> LimitOf(const std::vector<Attribute>& attributes) {
  const auto found =
      std::find_if(attributes.begin(), attributes.end(),
                   [](const Attribute& attribute) { return attribute.name == "limit"; });
  if (found == attributes.end()) return std::nullopt;
  const json value = json::parse(found->value);
  if (!value.is_object()) return std::nullopt;
  Limit limit;
  limit.packets = NumberIn(value, "packets");
  limit.bytes = NumberIn(value, "bytes");
  limit.connections = NumberIn(value, "connections");
  limit.burst = NumberIn(value, "burst");
  const auto says = [&](const char* key, const char* word) {
    return value.value(key, json()) == word;
  };
  if (says("per", "source")) limit.per = Limit::Per::kSource;
  if (says("per", "destination")) limit.per = Limit::Per::kDestination;
  if (says("exceed", "mark")) limit.exceed = Limit::Exceed::kMark;
  if (says("exceed", "proxy")) limit.exceed = Limit::Exceed::kProxy;
  limit.prefix_v4 = static_cast<std::uint8_t>(NumberIn(value, "prefix_v4").value_or(32));
  limit.prefix_v6 = static_cast<std::uint8_t>(NumberIn(value, "prefix_v6").value_or(64));
  return limit;
}

}  // namespace march::model

// The editor's schema says what the compiler says.
#include <catch2/catch.hpp>
#include <nlohmann/json.hpp>
#include <set>

#include "compiler/model/keys.h"
#include "compiler/model/policy.h"
#include "compiler/space/protocol.h"
#include "tests/golden/golden.h"

namespace march {
namespace {

using nlohmann::json;
using Words = std::set<std::string>;

json Schema() {
  return json::parse(golden::ReadFile("schemas/policy.schema.json"));
}

Words AsSet(const json& list) {
  return list.is_null() ? Words() : list.get<Words>();
}

void CheckKeys(const json& object, const model::KeyTable& keys) {
  Words known;
  Words required;
  for (const model::Key& key : keys) {
    if (key.status != model::Key::Status::kNotYetEnforced) known.emplace(key.name);
    if (key.status == model::Key::Status::kRequired) required.emplace(key.name);
  }
  Words properties;
  for (const auto& property : object["properties"].items()) properties.insert(property.key());
  CHECK(properties == known);
  CHECK(AsSet(object.value("required", json())) == required);
  CHECK(object["additionalProperties"] == false);
}

TEST_CASE("the schema has the keys that the compiler enforces, and no others") {
  const json schema = Schema();
  CheckKeys(schema, model::PolicyKeys());
  CheckKeys(schema["$defs"]["defaults"], model::DefaultsKeys());
  CheckKeys(schema["$defs"]["service"], model::ServiceKeys());
  CheckKeys(schema["$defs"]["mapping"], model::MappingKeys());
}

TEST_CASE("the schema has the compiler's words and limits") {
  const json schema = Schema();
  CHECK(schema["properties"]["apiVersion"]["const"] == model::kApiVersion);
  CHECK(schema["properties"]["kind"]["const"] == model::kPolicyKind);
  const json& mapping = schema["$defs"]["mapping"]["properties"];
  CHECK(mapping["priority"]["minimum"] == model::kMinPriority);
  CHECK(mapping["priority"]["maximum"] == model::kMaxPriority);
  Words protocols = {"any"};
  for (const std::string_view name : space::ProtocolNames()) protocols.emplace(name);
  CHECK(AsSet(mapping["protocols"]["items"]["anyOf"][0]["enum"]) == protocols);
  CHECK(AsSet(schema["$defs"]["action"]["enum"]) ==
        Words{std::string(ActionName(model::Action::kAllow)),
              std::string(ActionName(model::Action::kDeny))});
}

}  // namespace
}  // namespace march

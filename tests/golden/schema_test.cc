// The editor's schema says what the compiler says.
#include <catch2/catch.hpp>
#include <nlohmann/json.hpp>
#include <set>

#include "compiler/model/attributes.h"
#include "compiler/model/keys.h"
#include "compiler/model/policy.h"
#include "compiler/policytest/test_case.h"
#include "compiler/space/icmp.h"
#include "compiler/space/protocol.h"
#include "tests/golden/golden.h"

namespace march {
namespace {

using nlohmann::json;
using Words = std::set<std::string>;

json Schema(const std::string& kind = "policy") {
  return json::parse(golden::ReadFile("schemas/" + kind + ".schema.json"));
}

Words AsSet(const json& list) {
  return list.is_null() ? Words() : list.get<Words>();
}

void CheckKeys(const json& object, const model::KeyTable& keys) {
  Words known;
  Words required;
  for (const model::Key& key : keys) {
    known.emplace(key.name);
    if (key.required) required.emplace(key.name);
  }
  Words properties;
  for (const auto& property : object["properties"].items()) properties.insert(property.key());
  CHECK(properties == known);
  CHECK(AsSet(object.value("required", json())) == required);
  CHECK(object["additionalProperties"] == false);
}

json SchemaOf(const model::Form& form);

json SchemaOfMap(const model::Form& form) {
  json properties = json::object();
  json required = json::array();
  for (const model::Member& member : form.members) {
    json property = SchemaOf(member.form);
    if (!member.description.empty()) property["description"] = member.description;
    properties[std::string(member.name)] = std::move(property);
    if (member.required) required.push_back(member.name);
  }
  json schema = {
      {"type", "object"}, {"additionalProperties", false}, {"properties", std::move(properties)}};
  if (!required.empty()) schema["required"] = std::move(required);
  for (const std::string_view name : form.one_of) schema["anyOf"].push_back({{"required", {name}}});
  return schema;
}

// The schema of one value of an attribute.
json SchemaOf(const model::Form& form) {
  using Kind = model::Form::Kind;
  if (form.list) {
    model::Form entry = form;
    entry.list = false;
    return {{"type", "array"}, {"minItems", 1}, {"items", SchemaOf(entry)}};
  }
  const json number = {{"type", "integer"}, {"minimum", form.least}, {"maximum", form.most}};
  switch (form.kind) {
    case Kind::kWord:
      return {{"enum", form.words}};
    case Kind::kNumber:
      return number;
    case Kind::kWordOrNumber:
      return {{"anyOf", {{{"enum", form.words}}, number}}};
    case Kind::kDuration:
      return {{"type", "string"}, {"pattern", "^[1-9][0-9]*(ms|s|m|h)$"}};
    case Kind::kHostname:
      return {{"$ref", "#/$defs/hostname"}};
    case Kind::kPath:
      return {{"type", "string"}, {"pattern", "^/"}};
    case Kind::kUrl:
      return {{"type", "string"}, {"pattern", "^https://."}};
    case Kind::kService:
      return {{"$ref", "#/$defs/name"}};
    case Kind::kMap:
      return SchemaOfMap(form);
    case Kind::kText:
      break;
  }
  return {{"$ref", "#/$defs/text"}};
}

void CheckAttributes(const json& object, const std::vector<model::Member>& members) {
  for (const model::Member& member : members) {
    json expected = SchemaOf(member.form);
    expected["description"] = member.description;
    INFO(expected.dump(2));
    CHECK(object["properties"][std::string(member.name)] == expected);
  }
}

TEST_CASE("the schema has the attributes in the form in which they are read") {
  const json schema = Schema();
  CheckAttributes(schema["$defs"]["service"], model::ServiceAttributes());
  CheckAttributes(schema["$defs"]["mapping"], model::MappingAttributes());
}

TEST_CASE("the schema has the keys that the compiler knows, and no others") {
  const json schema = Schema();
  CheckKeys(schema, model::PolicyKeys());
  CheckKeys(schema["$defs"]["defaults"], model::DefaultsKeys());
  CheckKeys(schema["$defs"]["service"], model::ServiceKeys());
  CheckKeys(schema["$defs"]["mapping"], model::MappingKeys());
}

TEST_CASE("the schema of tests has the keys and words of their reader") {
  const json schema = Schema("policytest");
  CheckKeys(schema, policytest::DocumentKeys());
  CheckKeys(schema["$defs"]["test"], policytest::TestKeys());
  const auto& actions = model::ActionNames();
  CHECK(AsSet(schema["$defs"]["test"]["properties"]["expect"]["enum"]) ==
        Words(actions.begin(), actions.end()));
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
  const auto& actions = model::ActionNames();
  CHECK(AsSet(mapping["action"]["enum"]) == Words(actions.begin(), actions.end()));
  Words types;
  for (const std::string_view name : space::IcmpTypeNames()) types.emplace(name);
  CHECK(AsSet(mapping["icmp_types"]["items"]["anyOf"][0]["enum"]) == types);
}

}  // namespace
}  // namespace march

// The editor's schema says what the compiler says.
#include <algorithm>
#include <boost/regex.hpp>
#include <catch2/catch.hpp>
#include <nlohmann/json.hpp>
#include <random>
#include <set>

#include "compiler/model/attributes.h"
#include "compiler/model/keys.h"
#include "compiler/model/policy.h"
#include "compiler/ownership/ownership.h"
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
    case Kind::kFlag:
      return {{"type", "boolean"}};
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

TEST_CASE("the schema of ownership has the keys of its reader") {
  const json schema = Schema("ownership");
  CheckKeys(schema, ownership::DocumentKeys());
  CheckKeys(schema["$defs"]["owner"], ownership::OwnerKeys());
  CheckKeys(schema["$defs"]["traffic"], ownership::TrafficKeys());
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

// Whether a text meets a schema of patterns.
bool Meets(const json& schema, const std::string& text) {
  if (schema.contains("pattern") &&
      !boost::regex_search(text, boost::regex(schema["pattern"].get<std::string>()))) {
    return false;
  }
  if (schema.contains("maxLength") && text.size() > schema["maxLength"]) return false;
  if (schema.contains("not") && Meets(schema["not"], text)) return false;
  const auto meets = [&](const json& other) { return Meets(other, text); };
  const json& all = schema.value("allOf", json::array());
  if (!std::all_of(all.begin(), all.end(), meets)) return false;
  const json& any = schema.value("anyOf", json::array());
  return any.empty() || std::any_of(any.begin(), any.end(), meets);
}

// Whether the compiler has nothing to say of a policy that uses a text in one place.
bool Reads(const std::string& before, const std::string& text, const std::string& after) {
  const auto source =
      std::make_shared<const Source>("p.yaml", "apiVersion: march/v1\nkind: Policy\n" + before +
                                                   "\"" + text + "\"" + after + "\n");
  const auto doc = yaml::ParsePolicyDoc({source});
  return doc.ok() && model::BuildPolicy(*doc).ok();
}

struct Pattern {
  json schema;
  std::string before;
  std::string after;
  std::string alphabet;
  std::vector<std::string> seeds;
};

// Texts near the seeds: characters of the alphabet put in, taken out and exchanged.
std::string Near(const Pattern& pattern, std::mt19937& random) {
  const auto below = [&](std::size_t bound) { return random() % bound; };
  std::string text = pattern.seeds[below(pattern.seeds.size())];
  for (std::size_t changes = below(4); changes > 0; --changes) {
    const char c = pattern.alphabet[below(pattern.alphabet.size())];
    const std::size_t at = below(text.size() + 1);
    const std::size_t kind = below(3);
    if (kind == 0) text.insert(at, 1, c);
    if (kind == 1 && at < text.size()) text.erase(at, 1);
    if (kind == 2 && at < text.size()) text[at] = c;
  }
  return text;
}

TEST_CASE("the schema's patterns take every text that the compiler takes, and few others") {
  const json schema = Schema();
  const json& defs = schema["$defs"];
  const json& types = defs["mapping"]["properties"]["icmp_types"]["items"]["anyOf"];
  const json& protocols = defs["mapping"]["properties"]["protocols"]["items"]["anyOf"];
  const std::vector<Pattern> patterns = {
      {defs["prefix"],
       "services: { a: { addresses: [",
       "] } }",
       "0123456789abf:./",
       {"10.0.0.1", "255.255.255.255", "10.0.0.0/8", "2001:db8::1", "::", "::/0", "1:2:3:4:5:6:7:8",
        "64:ff9b::192.0.2.1", "fe80::/10", "1::8/128", "::ffff:10.0.0.1", "1:2:3:4:5:6:10.0.0.1"}},
      {defs["hostname"],
       "services: { a: { fqdns: [",
       "] } }",
       "aZ09.-_*",
       {"api.example.com", "*.example.com", "a", "10.0.0.1", "x-y.z_1",
        std::string(63, 'l') + ".m"}},
      {defs["port_list"]["items"]["anyOf"][1],
       "mappings: { a: { protocols: [tcp], ports: [",
       "] } }",
       "0123456789-, ",
       {"80", "80-443", "1,2,3", "65535", "0-65535", "8000-8100, 9000"}},
      {types[2],
       "mappings: { a: { protocols: [icmp], icmp_types: [",
       "] } }",
       "0123456789/",
       {"8", "3/4", "255/255"}},
      {protocols[2], "mappings: { a: { protocols: [", "] } }", "0123456789", {"6", "255", "47"}},
  };
  std::mt19937 random(1);  // NOLINT(bugprone-random-generator-seed): the same texts each time
  for (const Pattern& pattern : patterns) {
    int read = 0;
    int too_lax = 0;
    constexpr int kTexts = 500;
    for (int i = 0; i < kTexts; ++i) {
      const std::string text = Near(pattern, random);
      const bool reads = Reads(pattern.before, text, pattern.after);
      const bool meets = Meets(pattern.schema, text);
      INFO(pattern.before << text);
      if (reads) CHECK(meets);
      read += reads ? 1 : 0;
      too_lax += meets && !reads ? 1 : 0;
    }
    // What is left is arithmetic: host bits, ranges that go backwards.
    INFO(pattern.before << " " << read << " read, " << too_lax << " taken by the schema alone");
    CHECK(read > kTexts / 10);
    CHECK(too_lax < kTexts / 5);
  }
}

}  // namespace
}  // namespace march

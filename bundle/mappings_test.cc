#include "bundle/mappings.h"

#include <catch2/catch.hpp>
#include <set>

#include "bundle/abi/verdict.h"
#include "bundle/strict_json.h"

namespace march::bundle {
namespace {

constexpr std::string_view kText =
    "{\n"
    "  \"default_action\": \"deny\",\n"
    "  \"format_version\": 2,\n"
    "  \"mappings\": [\n"
    "    {\n"
    "      \"action\": \"allow\",\n"
    "      \"limited\": true,\n"
    "      \"name\": \"a\",\n"
    "      \"place\": \"egress.yaml:12\",\n"
    "      \"priority\": -5\n"
    "    },\n"
    "    {\n"
    "      \"action\": \"deny\",\n"
    "      \"limited\": false,\n"
    "      \"name\": \"b\",\n"
    "      \"place\": \"\",\n"
    "      \"priority\": 1000000\n"
    "    }\n"
    "  ]\n"
    "}\n";

std::string Replaced(std::string_view from, std::string_view to) {
  std::string text(kText);
  const std::size_t at = text.find(from);
  REQUIRE(at != std::string::npos);
  return text.replace(at, from.size(), to);
}

void CheckRefused(std::string_view text, const std::string& message) {
  const auto table = ReadMappings(text);
  REQUIRE_FALSE(table.ok());
  CHECK(table.diagnostics()[0].code == Code::kBundleMalformed);
  CHECK(table.diagnostics()[0].message == message);
}

TEST_CASE("an action under audit is one of its own") {
  const auto table = ReadMappings(Replaced("\"allow\"", "\"audit-allow\""));
  REQUIRE(table.ok());
  CHECK(IsAudit(table->mappings[0].action));
  CHECK_FALSE(IsAudit(table->mappings[1].action));
  CheckRefused(Replaced("\"allow\"", "\"audit-audit-allow\""),
               "mappings.json: mappings[0]: action \"audit-audit-allow\" is not known");
  CheckRefused(Replaced("\"default_action\": \"deny\"", "\"default_action\": \"audit-deny\""),
               "mappings.json: default_action \"audit-deny\" is not known");
}

TEST_CASE("a mapping table is written in one way and read back") {
  const MappingTable table{
      "deny", {{"a", "allow", -5, "egress.yaml:12", true}, {"b", "deny", 1'000'000, "", false}}};
  CHECK(WriteMappings(table) == kText);
  const auto read = ReadMappings(kText);
  REQUIRE(read.ok());
  CHECK(read->default_action == "deny");
  REQUIRE(read->mappings.size() == 2);
  CHECK(read->mappings[0].name == "a");
  CHECK(read->mappings[0].action == "allow");
  CHECK(read->mappings[0].priority == -5);
  CHECK(read->mappings[0].place == "egress.yaml:12");
  CHECK(WriteMappings(*read) == kText);
  CHECK(ReadMappings(WriteMappings({"allow", {}})).ok());
}

TEST_CASE("a mapping table with any text in it is written as all JSON is") {
  for (const std::string text :
       {"", "\"\\/", "\x01\n\t", "gr\xC3\xBC\xC3\x9F", "\xFF broken", "\x7F"}) {
    INFO(text);
    const MappingTable table{text, {{text, "allow", 0, text, false}}};
    CHECK(WriteMappings(table) ==
          DumpJson({{"default_action", text},
                    {"format_version", 2},
                    {"mappings", nlohmann::json::array({{{"action", "allow"},
                                                         {"limited", false},
                                                         {"name", text},
                                                         {"place", text},
                                                         {"priority", 0}}})}}));
    CHECK(WriteMappings({text, {}}) == DumpJson({{"default_action", text},
                                                 {"format_version", 2},
                                                 {"mappings", nlohmann::json::array()}}));
  }
}

TEST_CASE("a mapping table is read strictly") {
  CheckRefused("", "mappings.json is not JSON: error at byte 1");
  CheckRefused("[]", "mappings.json: is not an object");
  CheckRefused(std::string(kText) + "x",
               "mappings.json is not JSON: error at byte " + std::to_string(kText.size() + 1));
  CheckRefused(std::string(kText) + '\0',
               "mappings.json is not JSON: error at byte " + std::to_string(kText.size() + 1));
  CheckRefused("\xEF\xBB\xBF" + std::string(kText), "mappings.json is not JSON: error at byte 1");
  CheckRefused(Replaced("\"deny\"", "\"reject\""),
               "mappings.json: default_action \"reject\" is not known");
  CheckRefused(Replaced("\"format_version\": 2", "\"format_version\": 1"),
               "mappings.json: format_version is not 2");
  CheckRefused(Replaced("\"format_version\": 2,", ""),
               "mappings.json: has no key \"format_version\"");
  CheckRefused(Replaced("\"format_version\"", "\"x\": 1, \"format_version\""),
               "mappings.json: unknown key \"x\"");
  CheckRefused(Replaced("\"allow\"", "\"proxy\""),
               "mappings.json: mappings[0]: action \"proxy\" is not known");
  CheckRefused(Replaced("\"allow\"", "1"), "mappings.json: mappings[0]: action is not a string");
  CheckRefused(Replaced("\"priority\": -5", "\"priority\": -5, \"audit\": true"),
               "mappings.json: mappings[0]: unknown key \"audit\"");
  CheckRefused(Replaced("\"priority\": -5", "\"priority\": -5, \"priority\": 5"),
               "mappings.json has the key \"priority\" twice");
}

TEST_CASE("whatever is limited has one more slot") {
  const auto table = ReadMappings(kText);
  REQUIRE(table.ok());
  CHECK(table->mappings[0].limited);
  CHECK_FALSE(table->mappings[1].limited);
  CHECK(SlotsOf(*table) == MARCH_SLOT_FIRST_MAPPING + 3);
  CHECK(SlotsOf({"deny", {}}) == MARCH_SLOT_FIRST_MAPPING);
  CheckRefused(Replaced("true", "1"),
               "mappings.json: mappings[0]: limited is neither true nor false");
}

TEST_CASE("a priority has 32 bits") {
  for (const std::string priority : {"2147483648", "-2147483649", "18446744073709551615",
                                     "99999999999999999999", "5.0", "\"5\"", "null"}) {
    CheckRefused(Replaced("-5", priority),
                 "mappings.json: mappings[0]: priority is not a 32-bit integer");
  }
  CHECK(ReadMappings(Replaced("-5", "2147483647"))->mappings[0].priority == 2147483647);
  CHECK(ReadMappings(Replaced("-5", "-2147483648"))->mappings[0].priority == -2147483647 - 1);
}

TEST_CASE("mappings are in the order of their slots, which is no order of names") {
  const auto read = ReadMappings(Replaced("\"name\": \"a\"", "\"name\": \"c\""));
  REQUIRE(read.ok());
  CHECK(read->mappings[0].name == "c");
  CHECK(read->mappings[1].name == "b");
  CheckRefused(Replaced("\"name\": \"a\"", "\"name\": \"b\""),
               "mappings.json: mappings[1]: \"b\" is there twice");
}

TEST_CASE("deep nesting is refused, not followed") {
  CheckRefused(std::string(10'000'000, '['), "mappings.json nests too deeply");
  std::string objects;
  for (int i = 0; i < 100'000; ++i) objects += "{\"a\":";
  CheckRefused(objects, "mappings.json nests too deeply");
}

TEST_CASE("slots have the names that counters show") {
  CHECK(SlotName(MARCH_SLOT_INTERNAL) == "internal");
  CHECK(SlotName(MARCH_SLOT_ARP) == "arp");
  CHECK(SlotName(MARCH_SLOT_NEIGHBOUR) == "neighbour");
  CHECK(SlotName(MARCH_SLOT_NOT_IP) == "not-ip");
  CHECK(SlotName(MARCH_SLOT_VLAN_DEPTH) == "vlan-depth");
  CHECK(SlotName(MARCH_SLOT_TRUNCATED) == "truncated");
  CHECK(SlotName(MARCH_SLOT_MALFORMED) == "malformed");
  CHECK(SlotName(MARCH_SLOT_EXTENSIONS) == "extensions");
  CHECK(SlotName(MARCH_SLOT_SOURCE_ROUTE) == "source-route");
  CHECK(SlotName(MARCH_SLOT_FRAGMENT) == "fragment");
  CHECK(SlotName(MARCH_SLOT_LIMIT) == "limit");
  CHECK(SlotName(MARCH_SLOT_CUT) == "cut");
  CHECK(SlotName(MARCH_SLOT_BLOCKED) == "blocked");
  CHECK(SlotName(MARCH_SLOT_LAND) == "land");
  CHECK(SlotName(MARCH_SLOT_FLAGS) == "flags");
  CHECK(SlotName(MARCH_SLOT_MARTIAN) == "martian");
  CHECK(SlotName(MARCH_SLOT_SPOOFED) == "spoofed");
  CHECK(SlotName(MARCH_SLOT_SYN_RATE) == "syn-rate");
  CHECK(SlotName(MARCH_SLOT_FLOW_RATE) == "flow-rate");
  CHECK(SlotName(MARCH_SLOT_ICMP_RATE) == "icmp-rate");
  CHECK(SlotName(MARCH_SLOT_COOKIE) == "cookie");
  for (std::uint32_t slot = MARCH_SLOT_COOKIE + 1; slot < MARCH_SLOT_DEFAULT; ++slot) {
    CHECK(SlotName(slot).empty());
  }
  CHECK(SlotName(MARCH_SLOT_DEFAULT) == "default");
  CHECK(SlotName(MARCH_SLOT_FIRST_MAPPING).empty());
  std::set<std::uint32_t> passing;
  for (std::uint32_t slot = 0; slot < 32; ++slot) {
    if (SlotPasses(slot)) passing.insert(slot);
  }
  CHECK(passing == std::set<std::uint32_t>{MARCH_SLOT_ARP, MARCH_SLOT_NEIGHBOUR});
}

}  // namespace
}  // namespace march::bundle

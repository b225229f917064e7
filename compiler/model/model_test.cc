// What goldens cannot show: limits, sizes and values. The language itself is held against
// tests/golden/diagnostics and tests/golden/model.
#include <catch2/catch.hpp>

#include "compiler/model/policy.h"

namespace march::model {
namespace {

constexpr const char* kEnvelope = "apiVersion: march/v1\nkind: Policy\n";

// A policy with the sources it points into.
struct Built {
  SourceSet sources;
  Outcome<Policy> policy;
};

Built Build(const std::string& text) {
  const SourceSet sources = {std::make_shared<const Source>("p.yaml", kEnvelope + text)};
  const auto doc = yaml::ParsePolicyDoc(sources);
  REQUIRE(doc.ok());
  return {sources, BuildPolicy(*doc)};
}

TEST_CASE("names are resolved to indices into services sorted by name") {
  const auto built = Build(
      "services:\n  b: { addresses: [10.0.0.1, 10.0.0.0/31] }\n  B: { addresses: [] }\n"
      "  a: { addresses: [] }\n"
      "mappings:\n  m: { from: [b, a, b], to: [B] }\n  any: {}\n");
  REQUIRE(built.policy.ok());
  const Policy& policy = *built.policy;
  REQUIRE(policy.services.size() == 3);
  CHECK(policy.services[0].name == "B");
  CHECK(policy.services[2].name == "b");
  CHECK(policy.services[2].prefixes.size() == 2);
  CHECK(policy.services[2].addresses.v4.intervals().size() == 1);
  CHECK(policy.services[2].place.ToString() == "p.yaml:4:3");
  REQUIRE(policy.mappings.size() == 2);
  CHECK(policy.mappings[1].from == std::vector<std::uint32_t>{1, 2});
  CHECK(policy.mappings[1].to == std::vector<std::uint32_t>{0});
  CHECK_FALSE(policy.mappings[0].from);
  CHECK_FALSE(policy.mappings[0].protocols);
  CHECK_FALSE(policy.mappings[0].ports);
}

TEST_CASE("names have 128 characters at most, priorities their exact range") {
  CHECK(Build("services: { " + std::string(128, 'n') + ": { addresses: [] } }\n").policy.ok());
  CHECK(Build("mappings: { m: { priority: 1000000 } }\n").policy.ok());
  CHECK(Build("mappings: { m: { priority: -1000000 } }\n").policy->mappings[0].priority ==
        kMinPriority);
  CHECK_FALSE(Build("mappings: { m: { priority: -1000001 } }\n").policy.ok());
  CHECK_FALSE(Build("mappings: { m: { priority: 4294967297 } }\n").policy.ok());
}

TEST_CASE("a warning leaves the policy") {
  const auto built = Build(
      "services: { a: { addresses: [10.0.0.1] }, b: { addresses: [::1] } }\n"
      "mappings: { m: { from: [a], to: [b] } }\n");
  REQUIRE(built.policy.ok());
  REQUIRE(built.policy.diagnostics().size() == 1);
  CHECK(built.policy.diagnostics()[0].code == Code::kNoCommonFamily);
}

TEST_CASE("ends with a family in common, or none at all, are not warned about") {
  for (const char* const ends : {"from: [a, b], to: [b]", "from: [none], to: [b]", "from: [a]"}) {
    const auto built = Build(
        "services: { a: { addresses: [10.0.0.1] }, b: { addresses: [::1] },\n"
        "  none: { addresses: [] } }\nmappings: { m: { " +
        std::string(ends) + " } }\n");
    CAPTURE(ends);
    REQUIRE(built.policy.ok());
    CHECK(built.policy.diagnostics().empty());
  }
}

TEST_CASE("misspelt names among many services are all reported, and soon") {
  std::string text = "services:\n";
  for (int i = 0; i < 20'000; ++i) {
    text += "  service-" + std::to_string(i) + ": { addresses: [] }\n";
  }
  text += "mappings:\n";
  for (int i = 0; i < 2'000; ++i) {
    text += "  m" + std::to_string(i) + ": { from: [servixe-" + std::to_string(i) + "] }\n";
  }
  const auto built = Build(text);
  REQUIRE_FALSE(built.policy.ok());
  const Diagnostics& diagnostics = built.policy.diagnostics();
  REQUIRE(diagnostics.size() == 2'000);
  CHECK(diagnostics[0].hint == "did you mean \"service-0\"?");
  CHECK(diagnostics[1'999].hint == "define it under services");
}

}  // namespace
}  // namespace march::model

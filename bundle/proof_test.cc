#include "bundle/proof.h"

#include <catch2/catch.hpp>

#include "base/print.h"
#include "bundle/bundle.h"

namespace march::bundle {
namespace {

Proof Example() {
  Proof proof;
  proof.in_kernel = true;
  proof.v4 = {7, 3, 5, 2, 40, 44};
  proof.v6 = {1, 1, 1, 1, 2, 2};
  proof.digest = std::string(64, 'a');
  return proof;
}

std::string Replaced(std::string text, const std::string& from, const std::string& to) {
  const std::size_t at = text.find(from);
  REQUIRE(at != std::string::npos);
  return text.replace(at, from.size(), to);
}

TEST_CASE("a proof reads as it was written") {
  const auto read = ReadProof(WriteProof(Example()));
  REQUIRE(read);
  CHECK(*read == Example());
  CHECK(read->cells() == 42);
  CHECK(read->witnesses() == 46);
  CHECK(MethodOf(*read) == "kernel");
}

TEST_CASE("a proof that says something else is refused") {
  const std::string good = WriteProof(Example());
  const std::pair<const char*, const char*> changes[] = {
      {"\"kernel\"", "\"hope\""},
      {"\"format_version\": 1", "\"format_version\": 2"},
      {"\"cells\": 40", "\"cells\": 45"},  // more than there are witnesses
      {"\"cells\": 40", "\"cells\": -1"},
      {"\"cells\": 40", "\"cell\": 40"},
      {"aaaa\"", "AAAA\""},
      {"\"ipv6\"", "\"ipv5\""},
      {"{\n", "{\n\n"},
  };
  for (const auto& [from, to] : changes) {
    CAPTURE(from, to);
    const auto read = ReadProof(Replaced(good, from, to));
    REQUIRE_FALSE(read);
    CHECK(read.diagnostics().front().code == Code::kBundleMalformed);
  }
  // Without a kernel there are no witnesses.
  CHECK_FALSE(ReadProof(Replaced(good, "\"kernel\"", "\"tables\"")));
}

TEST_CASE("a bundle is read with its proof, and refused with a wrong one") {
  Contents contents;
  contents.cluster = "default";
  contents.serial = 1;
  contents.tool_version = "1";
  contents.minimum_kernel = "5.15";
  const auto without = Pack(contents, {});
  REQUIRE(without);
  CHECK_FALSE(Read(*without)->proof.has_value());

  contents.files.push_back({std::string(kProofPath), WriteProof(Example())});
  const auto packed = Pack(contents, {});
  REQUIRE(packed);
  const auto read = Read(*packed);
  REQUIRE(read);
  CHECK(read->proof == Example());

  contents.files.back().content += " ";
  const auto wrong = Pack(contents, {});
  REQUIRE(wrong);
  const auto refused = Read(*wrong);
  REQUIRE_FALSE(refused);
  CHECK(refused.diagnostics().front().code == Code::kBundleMalformed);
}

}  // namespace
}  // namespace march::bundle

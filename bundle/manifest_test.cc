#include "bundle/manifest.h"

#include <catch2/catch.hpp>

namespace march::bundle {
namespace {

const std::string kDigest = Sha256Hex("a");

Manifest Sample() {
  Manifest manifest;
  manifest.cluster = "prod";
  manifest.serial = 18446744073709551615U;
  manifest.policy_digest = kDigest;
  manifest.tool_version = "0.1.0";
  manifest.minimum_kernel = "5.15";
  manifest.mappings = 2;
  manifest.files = {{"a", 1, kDigest}, {"b/\"c\"", 0, kDigest}};
  return manifest;
}

const std::string kText =
    "{\n"
    "  \"cluster\": \"prod\",\n"
    "  \"files\": [\n"
    "    {\n"
    "      \"path\": \"a\",\n"
    "      \"sha256\": \"" +
    kDigest +
    "\",\n"
    "      \"size\": 1\n"
    "    },\n"
    "    {\n"
    "      \"path\": \"b/\\\"c\\\"\",\n"
    "      \"sha256\": \"" +
    kDigest +
    "\",\n"
    "      \"size\": 0\n"
    "    }\n"
    "  ],\n"
    "  \"format\": \"march-bundle\",\n"
    "  \"format_version\": 1,\n"
    "  \"mappings\": 2,\n"
    "  \"minimum_kernel\": \"5.15\",\n"
    "  \"policy_digest\": \"" +
    kDigest +
    "\",\n"
    "  \"serial\": 18446744073709551615,\n"
    "  \"tool_version\": \"0.1.0\"\n"
    "}\n";

std::string Replaced(std::string_view from, std::string_view to) {
  std::string text = kText;
  const std::size_t at = text.find(from);
  REQUIRE(at != std::string::npos);
  return text.replace(at, from.size(), to);
}

void CheckRefused(std::string_view text, const std::string& message,
                  Code code = Code::kBundleMalformed) {
  const auto manifest = ReadManifest(text);
  REQUIRE_FALSE(manifest.ok());
  CHECK(manifest.diagnostics()[0].code == code);
  CHECK(manifest.diagnostics()[0].message == message);
}

TEST_CASE("a manifest is written in one way and read back") {
  CHECK(*WriteManifest(Sample()) == kText);
  const auto manifest = ReadManifest(kText);
  REQUIRE(manifest.ok());
  CHECK(manifest->format_version == 1);
  CHECK(manifest->cluster == "prod");
  CHECK(manifest->serial == 18446744073709551615U);
  CHECK(manifest->policy_digest == kDigest);
  CHECK(manifest->tool_version == "0.1.0");
  CHECK(manifest->minimum_kernel == "5.15");
  CHECK(manifest->mappings == 2);
  REQUIRE(manifest->files.size() == 2);
  CHECK(manifest->files[0].path == "a");
  CHECK(manifest->files[0].size == 1);
  CHECK(manifest->files[0].sha256 == kDigest);
  CHECK(manifest->files[1].path == "b/\"c\"");
}

TEST_CASE("what needs a newer kernel is named where there is such a thing") {
  Manifest sample = Sample();
  sample.minimum_kernel = "6.1";
  sample.minimum_kernel_for = "large tables";
  const auto text = WriteManifest(sample);
  REQUIRE(text.ok());
  CHECK(*text == Replaced("\"minimum_kernel\": \"5.15\",\n",
                          "\"minimum_kernel\": \"6.1\",\n"
                          "  \"minimum_kernel_for\": \"large tables\",\n"));
  const auto manifest = ReadManifest(*text);
  REQUIRE(manifest.ok());
  CHECK(manifest->minimum_kernel_for == "large tables");
  CHECK(ReadManifest(kText)->minimum_kernel_for.empty());
  const auto with = [](const std::string& value) {
    return Replaced("\"minimum_kernel\": \"5.15\",\n",
                    "\"minimum_kernel\": \"5.15\",\n  \"minimum_kernel_for\": " + value + ",\n");
  };
  CheckRefused(with("7"), "manifest.json: minimum_kernel_for is not a string");
  // There is one way to write a manifest that names nothing.
  CheckRefused(with("\"\""), "manifest.json is not in its canonical form");
}

TEST_CASE("a newer manifest is said to be newer, whatever else is in it") {
  const std::string message = "the bundle has format version 2; this program reads version 1";
  CheckRefused(Replaced("\"format_version\": 1", "\"format_version\": 2"), message,
               Code::kBundleNewerFormat);
  CheckRefused("{\"format\":\"march-bundle\",\"format_version\":2,\"new\":{}}", message,
               Code::kBundleNewerFormat);
  const auto newer = ReadManifest("{\"format\":\"march-bundle\",\"format_version\":2}");
  CHECK(newer.diagnostics()[0].hint ==
        "upgrade this program, or compile with the version that it has");
  CheckRefused("{\"format\":\"march-bundle\",\"format_version\":18446744073709551615}",
               "the bundle has format version 18446744073709551615; this program reads version 1",
               Code::kBundleNewerFormat);
}

TEST_CASE("a manifest is read strictly") {
  CheckRefused("", "manifest.json is not JSON: error at byte 1");
  CheckRefused(kText.substr(0, 5), "manifest.json is not JSON: error at byte 6");
  CheckRefused("\"text\"", "manifest.json: is not an object");
  CheckRefused(Replaced("march-bundle", "other"), "manifest.json: format is not \"march-bundle\"");
  CheckRefused(Replaced("\"format_version\": 1", "\"format_version\": 0"),
               "manifest.json: format_version is 0");
  for (const std::string version : {"-1", "1.0", "\"1\"", "true", "null", "[1]"}) {
    CheckRefused(Replaced("\"format_version\": 1", "\"format_version\": " + version),
                 "manifest.json: format_version is not an unsigned 64-bit integer");
  }
  CheckRefused(Replaced("18446744073709551615", "18446744073709551616"),
               "manifest.json: serial is not an unsigned 64-bit integer");
  CheckRefused(Replaced("18446744073709551615", "1e999"),
               "manifest.json holds a number out of range");
  CheckRefused(Replaced("\"prod\"", "7"), "manifest.json: cluster is not a string");
  CheckRefused(Replaced("  \"cluster\": \"prod\",\n", ""), "manifest.json: has no key \"cluster\"");
  CheckRefused(Replaced("\"cluster\"", "\"expiry\": 1,\n  \"cluster\""),
               "manifest.json: unknown key \"expiry\"");
  CheckRefused(Replaced("\"cluster\"", "\"cluster\": \"dev\",\n  \"cluster\""),
               "manifest.json has the key \"cluster\" twice");
  CheckRefused(Replaced("\"policy_digest\": \"" + kDigest, "\"policy_digest\": \"" + kDigest + "0"),
               "manifest.json: policy_digest is not 64 lower-case hex digits");
  CheckRefused(Replaced("\"size\": 1", "\"size\": 1, \"mode\": 1"),
               "manifest.json: files[0]: unknown key \"mode\"");
  CheckRefused(Replaced("\"size\": 0", "\"size\": \"0\""),
               "manifest.json: files[1]: size is not an unsigned 64-bit integer");
  CheckRefused(Replaced("\"sha256\": \"" + kDigest, "\"sha256\": \"" + std::string(64, 'g')),
               "manifest.json: files[0]: sha256 is not 64 lower-case hex digits");
  CheckRefused(Replaced("\"sha256\": \"" + kDigest, "\"sha256\": \"" + std::string(64, 'A')),
               "manifest.json: files[0]: sha256 is not 64 lower-case hex digits");
  CheckRefused(std::string(100'000, '['), "manifest.json nests too deeply");
}

TEST_CASE("the files of a manifest are sorted, distinct and nameable") {
  CheckRefused(Replaced("\"path\": \"a\"", "\"path\": \"c\""),
               "manifest.json: files[1]: \"b/\"c\"\" is out of order");
  CheckRefused(Replaced("b/\\\"c\\\"", "a"), "manifest.json: files[1]: \"a\" is listed twice");
  CheckRefused(Replaced("\"path\": \"a\"", "\"path\": \"../a\""),
               "manifest.json: files[0]: the path \"../a\" has a component \"..\"");
  CheckRefused(Replaced("b/\\\"c\\\"", "manifest.json"),
               "manifest.json: files[1]: \"manifest.json\" cannot be listed");
  CheckRefused(Replaced("b/\\\"c\\\"", "signatures/x"),
               "manifest.json: files[1]: \"signatures/x\" cannot be listed");
}

TEST_CASE("a manifest has one spelling") {
  const std::string message = "manifest.json is not in its canonical form";
  CheckRefused(kText + "\n", message);
  CheckRefused(kText.substr(0, kText.size() - 1), message);
  CheckRefused(Replaced("\"prod\"", "\"pr\\u006fd\""), message);
  CheckRefused(Replaced("\"size\": 1", "\"size\":1"), message);
}

TEST_CASE("a manifest cannot say what is not UTF-8") {
  Manifest manifest = Sample();
  manifest.cluster = "\xFF";
  const auto bytes = WriteManifest(manifest);
  REQUIRE_FALSE(bytes.ok());
  CHECK(bytes.diagnostics()[0].code == Code::kBundleMalformed);
  CHECK(bytes.diagnostics()[0].message == "cluster \"\\xff\" is not UTF-8");
  CheckRefused(Replaced("\"prod\"", "\"\xFF\""), "manifest.json is not JSON: error at byte 17");
}

TEST_CASE("a manifest has a bound") {
  CheckRefused(std::string((std::size_t{128} << 20) + 1, ' '),
               "manifest.json is larger than 134217728 bytes", Code::kInputTooLarge);
}

}  // namespace
}  // namespace march::bundle

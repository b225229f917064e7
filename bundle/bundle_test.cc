#include "bundle/bundle.h"

#include <algorithm>
#include <catch2/catch.hpp>

#include "bundle/archive.h"
#include "bundle/manifest.h"

namespace march::bundle {
namespace {

PrivateKey KeyOf(std::uint8_t fill) {
  std::array<std::uint8_t, 32> seed;
  seed.fill(fill);
  return PrivateKey(seed);
}

const PrivateKey kAlice = KeyOf(1);
const PrivateKey kBob = KeyOf(2);
const Trust kTrust{{kAlice.Public()}, "prod"};

Contents Sample() {
  Contents contents;
  contents.cluster = "prod";
  contents.serial = 7;
  contents.mappings = 1;
  contents.tool_version = "0.1.0";
  contents.minimum_kernel = "5.15";
  contents.files = {{"policy/b.yaml", "kind: Policy\n"},
                    {"fastpath/xdp.o", std::string(600, '\x7f')},
                    {"tables/classifier.bin", std::string(16, '\0')},
                    {"policy/a.yaml", ""}};
  return contents;
}

std::string Packed(const std::vector<PrivateKey>& signers, const Contents& contents = Sample()) {
  Outcome<std::string> bytes = Pack(contents, signers);
  REQUIRE(bytes.ok());
  return *bytes;
}

std::string SignaturePath(const PrivateKey& key) {
  return "signatures/" + key.Public().Id() + ".sig";
}

// The bundle with its archive taken apart and written again; without `with`, the entry goes.
std::string WithEntry(const std::string& bytes, const std::string& path,
                      std::optional<std::string_view> with) {
  auto entries = ReadArchive(bytes);
  REQUIRE(entries.ok());
  std::erase_if(*entries, [&path](const Entry& entry) { return entry.path == path; });
  if (with) entries->push_back({path, *with});
  Outcome<std::string> written = WriteArchive(*entries);
  REQUIRE(written.ok());
  return *written;
}

// The bundle with another manifest, signed by Alice.
std::string WithManifest(const std::string& bytes, std::string_view manifest) {
  const std::string signature = kAlice.Sign(manifest);
  return WithEntry(WithEntry(bytes, "manifest.json", manifest), SignaturePath(kAlice), signature);
}

std::string WithManifest(const std::string& bytes, const Manifest& manifest) {
  const auto text = WriteManifest(manifest);
  REQUIRE(text.ok());
  return WithManifest(bytes, *text);
}

void CheckRefused(const Outcome<Bundle>& bundle, Code code, const std::string& message) {
  REQUIRE_FALSE(bundle.ok());
  REQUIRE(bundle.diagnostics().size() == 1);
  CHECK(bundle.diagnostics()[0].code == code);
  CHECK(bundle.diagnostics()[0].message == message);
}

TEST_CASE("a bundle gives back what was packed") {
  const std::string bytes = Packed({kAlice});
  const auto bundle = Verify(bytes, kTrust);
  REQUIRE(bundle.ok());
  CHECK(bundle->manifest.format_version == 1);
  CHECK(bundle->manifest.cluster == "prod");
  CHECK(bundle->manifest.serial == 7);
  CHECK(bundle->manifest.mappings == 1);
  CHECK(bundle->manifest.tool_version == "0.1.0");
  CHECK(bundle->manifest.minimum_kernel == "5.15");
  CHECK(bundle->manifest.policy_digest == PolicyDigest(Sample().files));
  REQUIRE(bundle->manifest.files.size() == 4);
  CHECK(bundle->manifest.files[0].path == "fastpath/xdp.o");
  CHECK(bundle->manifest.files[0].size == 600);
  CHECK(bundle->manifest.files[0].sha256 == Sha256Hex(std::string(600, '\x7f')));
  CHECK(bundle->manifest_bytes == *WriteManifest(bundle->manifest));
  REQUIRE(bundle->signatures.size() == 1);
  CHECK(bundle->signatures[0].key_id == kAlice.Public().Id());
  CHECK(bundle->signatures[0].bytes == kAlice.Sign(bundle->manifest_bytes));
  REQUIRE(bundle->files.size() == 4);
  for (const File& file : Sample().files) {
    REQUIRE(bundle->Find(file.path) != nullptr);
    CHECK(*bundle->Find(file.path) == file.content);
  }
  CHECK(bundle->Find("manifest.json") == nullptr);
  CHECK(bundle->Find("policy/") == nullptr);
  CHECK(bundle->Find("z") == nullptr);
  CHECK(Read(bytes).ok());
}

TEST_CASE("equal contents are equal bytes, in whatever order the files and signers come") {
  Contents contents = Sample();
  const std::string bytes = Packed({kAlice, kBob}, contents);
  std::sort(contents.files.begin(), contents.files.end(),
            [](const File& a, const File& b) { return a.path < b.path; });
  do {
    CHECK(Packed({kBob, kAlice}, contents) == bytes);
  } while (std::next_permutation(contents.files.begin(), contents.files.end(),
                                 [](const File& a, const File& b) { return a.path < b.path; }));
  contents.serial = 8;
  CHECK(Packed({kAlice, kBob}, contents) != bytes);
}

TEST_CASE("the bytes of a bundle are fixed for all time") {
  // A change here is a new format: raise kFormatVersion.
  CHECK(Sha256Hex(Packed({kAlice})) ==
        "73f5226c431f67880b05a1bf00bc576d89a16db2de79031dcaa8006846b2b387");
}

TEST_CASE("the policy digest is as its definition says") {
  const std::string bytes = std::string("\x08\0\0\0\0\0\0\0\x01\x01\0\0\0\0\0\0", 16) + "policy/a" +
                            std::string(257, 'x') +
                            std::string("\x08\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0", 16) + "policy/b";
  CHECK(PolicyDigest({{"policy/b", ""},
                      {"policy", "not below"},
                      {"tables/x", "t"},
                      {"policy/a", std::string(257, 'x')}}) == Sha256Hex(bytes));
  CHECK(PolicyDigest({}) == Sha256Hex(""));
}

TEST_CASE("what cannot be packed") {
  const auto refused = [](Contents contents, Code code, const std::string& message) {
    const auto bytes = Pack(contents, {});
    REQUIRE_FALSE(bytes.ok());
    CHECK(bytes.diagnostics()[0].code == code);
    CHECK(bytes.diagnostics()[0].message == message);
  };
  Contents contents = Sample();
  contents.files.push_back({"policy/../x", ""});
  refused(contents, Code::kBadPathName,
          "a bundle cannot carry \"policy/../x\": the path has a component \"..\"");
  contents.files.back().path = "policy/\xFF.yaml";
  refused(contents, Code::kBadPathName,
          "a bundle cannot carry \"policy/\\xff.yaml\": the path is not UTF-8");
  contents.files.back().path = "manifest.json";
  refused(contents, Code::kBadPathName, "a bundle keeps the path \"manifest.json\" for itself");
  contents.files.back().path = "signatures/x";
  refused(contents, Code::kBadPathName, "a bundle keeps the path \"signatures/x\" for itself");
  contents.files.back().path = "policy/a.yaml";
  refused(contents, Code::kBundleMalformed, "two files have the path \"policy/a.yaml\"");
  contents = Sample();
  contents.tool_version = "\x80";
  refused(contents, Code::kBundleMalformed, "tool_version \"\\x80\" is not UTF-8");
  CHECK(Pack(Sample(), {kAlice, kAlice}).diagnostics()[0].code == Code::kBundleMalformed);
}

TEST_CASE("an unsigned bundle can be read, not verified") {
  const std::string bytes = Packed({});
  CHECK(Read(bytes).ok());
  const auto bundle = Verify(bytes, kTrust);
  CheckRefused(bundle, Code::kBundleUnsigned, "the bundle is not signed");
  CHECK(bundle.diagnostics()[0].hint == "sign it: marchctl compile POLICY --key KEY -o FILE");
}

TEST_CASE("a signature by a stranger does not help, and does not harm") {
  const auto stranger = Verify(Packed({kBob}), kTrust);
  CheckRefused(stranger, Code::kBundleUnknownSigner,
               "the bundle is signed only by keys that are not trusted: " + kBob.Public().Id());
  CHECK(stranger.diagnostics()[0].hint ==
        "trust the signer's public key, or sign with a trusted key");
  CheckRefused(Verify(Packed({kBob}), {{}, ""}), Code::kBundleUnknownSigner,
               "no key is trusted; the bundle is signed by " + kBob.Public().Id());
  CHECK(Verify(Packed({kAlice, kBob}), kTrust).ok());
  CHECK(
      Verify(WithEntry(Packed({kAlice}), SignaturePath(kBob), std::string(64, 'x')), kTrust).ok());
  CHECK(Verify(Packed({kBob}), {{kAlice.Public(), kBob.Public()}, ""}).ok());
}

TEST_CASE("a bad signature that claims a trusted key is refused, even beside a good one") {
  const std::string message =
      "the signature by the trusted key " + kBob.Public().Id() + " does not match the manifest";
  const std::string forged = std::string(64, 'x');
  const Trust both{{kAlice.Public(), kBob.Public()}, ""};
  CheckRefused(Verify(WithEntry(Packed({kBob}), SignaturePath(kBob), forged), both),
               Code::kBundleBadSignature, message);
  CheckRefused(Verify(WithEntry(Packed({kAlice, kBob}), SignaturePath(kBob), forged), both),
               Code::kBundleBadSignature, message);
  // Alice's signature under Bob's name.
  const std::string alices = kAlice.Sign(Read(Packed({kAlice}))->manifest_bytes);
  CheckRefused(Verify(WithEntry(Packed({kAlice}), SignaturePath(kBob), alices), both),
               Code::kBundleBadSignature, message);
}

TEST_CASE("a bundle for another cluster is refused") {
  const std::string bytes = Packed({kAlice});
  CheckRefused(Verify(bytes, {{kAlice.Public()}, "dev"}), Code::kBundleWrongCluster,
               "the bundle is for cluster \"prod\", not for \"dev\"");
  CHECK(Verify(bytes, {{kAlice.Public()}, ""}).ok());
}

TEST_CASE("nothing in a manifest is believed before its signature is good") {
  const std::string bytes = WithEntry(Packed({kAlice}), "manifest.json", "[[[");
  CheckRefused(
      Verify(bytes, kTrust), Code::kBundleBadSignature,
      "the signature by the trusted key " + kAlice.Public().Id() + " does not match the manifest");
  CheckRefused(Verify(WithManifest(bytes, "[[["), kTrust), Code::kBundleMalformed,
               "manifest.json is not JSON: error at byte 4");
  CheckRefused(Read(bytes), Code::kBundleMalformed, "manifest.json is not JSON: error at byte 4");
}

TEST_CASE("a newer format is refused as such") {
  Manifest manifest = Read(Packed({}))->manifest;
  manifest.format_version = 2;
  const std::string bytes = WithManifest(Packed({}), manifest);
  const std::string message = "the bundle has format version 2; this program reads version 1";
  CheckRefused(Verify(bytes, kTrust), Code::kBundleNewerFormat, message);
  CheckRefused(Read(bytes), Code::kBundleNewerFormat, message);
}

TEST_CASE("files and manifest must agree") {
  const std::string bytes = Packed({kAlice});
  const Code code = Code::kBundleDigestMismatch;
  CheckRefused(Verify(WithEntry(bytes, "policy/b.yaml", "kind: Polity\n"), kTrust), code,
               "the content of \"policy/b.yaml\" is not what the manifest says");
  CheckRefused(Verify(WithEntry(bytes, "policy/b.yaml", "kind: Policy"), kTrust), code,
               "\"policy/b.yaml\" has 12 bytes; the manifest says 13");
  for (const std::string path : {"a", "policy/aa", "z"}) {
    CheckRefused(Verify(WithEntry(bytes, path, ""), kTrust), code,
                 "\"" + path + "\" is in the bundle, but not in the manifest");
  }
  for (const File& file : Sample().files) {
    CheckRefused(Verify(WithEntry(bytes, file.path, std::nullopt), kTrust), code,
                 "\"" + file.path + "\" is in the manifest, but not in the bundle");
  }
  Manifest manifest = Read(bytes)->manifest;
  manifest.policy_digest = Sha256Hex("other");
  const auto policy = Verify(WithManifest(bytes, manifest), kTrust);
  CheckRefused(policy, code, "the policy's digest is not what the manifest says");
  CHECK(policy.diagnostics()[0].hint ==
        "the bundle was damaged or altered after it was signed: get it again from its source");
  // For inspection all of these can be read.
  CHECK(Read(WithEntry(bytes, "z", "")).ok());
}

TEST_CASE("the files' agreement is checked before the cluster") {
  const std::string bytes = WithEntry(Packed({kAlice}), "z", "");
  CHECK(Verify(bytes, {{kAlice.Public()}, "dev"}).diagnostics()[0].code ==
        Code::kBundleDigestMismatch);
}

TEST_CASE("an archive that is no bundle is refused") {
  const std::string bytes = Packed({kAlice});
  const auto refused = [](const std::string& archive, const std::string& message) {
    CheckRefused(Verify(archive, kTrust), Code::kBundleMalformed, message);
    CheckRefused(Read(archive), Code::kBundleMalformed, message);
  };
  refused(WithEntry(bytes, "manifest.json", std::nullopt), "the bundle has no manifest.json");
  const std::string signature(64, 'x');
  for (const std::string path :
       {"signatures/x", "signatures/0123456789abcde.sig", "signatures/0123456789ABCDEF.sig",
        "signatures/0123456789abcdef0.sig", "signatures/0123456789abcdef.sig2",
        "signatures/a/0123456789abcdef.sig"}) {
    refused(WithEntry(bytes, path, signature), "\"" + path + "\" is not named as a signature");
  }
  const std::string path = SignaturePath(kAlice);
  refused(WithEntry(bytes, path, ""),
          "\"" + path + "\" is not a signature: it has 0 bytes, not 64");
  refused(WithEntry(bytes, path, std::string(65, 'x')),
          "\"" + path + "\" is not a signature: it has 65 bytes, not 64");
}

// Where a byte of a bundle stands decides what its damage is called.
enum class Region { kFrame, kManifest, kSignature, kFile };

std::vector<Region> RegionsOf(const std::string& bytes) {
  std::vector<Region> regions(bytes.size(), Region::kFrame);
  const auto entries = ReadArchive(bytes);
  REQUIRE(entries.ok());
  for (const Entry& entry : *entries) {
    const auto begin = static_cast<std::size_t>(entry.content.data() - bytes.data());
    const Region region = entry.path == kManifestPath ? Region::kManifest
                          : IsFramePath(entry.path)   ? Region::kSignature
                                                      : Region::kFile;
    std::fill_n(regions.begin() + static_cast<std::ptrdiff_t>(begin), entry.content.size(), region);
  }
  return regions;
}

TEST_CASE("no byte of a signed bundle can be changed") {
  const std::string bytes = Packed({kAlice});
  REQUIRE(Verify(bytes, kTrust).ok());
  const std::vector<Region> regions = RegionsOf(bytes);
  CHECK(std::count(regions.begin(), regions.end(), Region::kSignature) == 64);
  std::string changed = bytes;
  for (std::size_t i = 0; i < bytes.size(); ++i) {
    const Code expected = regions[i] == Region::kFrame  ? Code::kBundleMalformed
                          : regions[i] == Region::kFile ? Code::kBundleDigestMismatch
                                                        : Code::kBundleBadSignature;
    for (const int flip : {0x01, 0x20, 0xFF}) {
      changed[i] = static_cast<char>(bytes[i] ^ flip);
      const auto bundle = Verify(changed, kTrust);
      if (bundle.ok() || bundle.diagnostics()[0].code != expected) {
        FAIL("byte " << i << " ^ " << flip << " is not refused as it should be");
      }
    }
    changed[i] = bytes[i];
  }
}

TEST_CASE("no part of a bundle can be missing, and nothing can follow it") {
  const std::string bytes = Packed({kAlice});
  for (std::size_t size = 0; size < bytes.size(); ++size) {
    const auto bundle = Verify(std::string_view(bytes).substr(0, size), kTrust);
    if (bundle.ok() || bundle.diagnostics()[0].code != Code::kBundleMalformed) {
      FAIL("a bundle cut to " << size << " bytes is not refused as it should be");
    }
  }
  for (const std::string& tail : {std::string(1, '\0'), std::string(512, '\0'), bytes}) {
    CheckRefused(Verify(bytes + tail, kTrust), Code::kBundleMalformed,
                 "there are bytes after the end of the archive");
  }
}

}  // namespace
}  // namespace march::bundle

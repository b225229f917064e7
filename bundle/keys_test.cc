#include "bundle/keys.h"

#include <catch2/catch.hpp>
#include <cstdlib>
#include <filesystem>
#include <fstream>
#include <iterator>

namespace march::bundle {
namespace {

std::string FromHex(std::string_view hex) {
  std::string bytes;
  for (std::size_t i = 0; i < hex.size(); i += 2) {
    bytes += static_cast<char>(std::stoi(std::string(hex.substr(i, 2)), nullptr, 16));
  }
  return bytes;
}

std::array<std::uint8_t, 32> Raw(std::string_view hex) {
  const std::string bytes = FromHex(hex);
  REQUIRE(bytes.size() == 32);
  std::array<std::uint8_t, 32> raw;
  std::copy(bytes.begin(), bytes.end(), raw.begin());
  return raw;
}

template <class Key>
void CheckBadKey(std::string_view pem, const std::string& message, const std::string& hint = {}) {
  const auto key = Key::FromPem(pem);
  REQUIRE_FALSE(key.ok());
  CHECK(key.diagnostics()[0].code == Code::kBadKey);
  CHECK(key.diagnostics()[0].message == message);
  CHECK(key.diagnostics()[0].hint == hint);
}

// RFC 8410, section 10.
constexpr std::string_view kPrivatePem =
    "-----BEGIN PRIVATE KEY-----\n"
    "MC4CAQAwBQYDK2VwBCIEINTuctv5E1hK1bbY8fdp+K06/nwoy/HU++CXqI9EdVhC\n"
    "-----END PRIVATE KEY-----\n";
constexpr std::string_view kPublicPem =
    "-----BEGIN PUBLIC KEY-----\n"
    "MCowBQYDK2VwAyEAGb9ECWmEzf6FQbrBZ9w7lshQhqowtrbLDFw4rXAxZuE=\n"
    "-----END PUBLIC KEY-----\n";

TEST_CASE("SHA-256 is that of FIPS 180-4") {
  CHECK(Sha256Hex("") == "e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855");
  CHECK(Sha256Hex("abc") == "ba7816bf8f01cfea414140de5dae2223b00361a396177a9cb410ff61f20015ad");
}

TEST_CASE("signatures are those of RFC 8032, section 7.1") {
  struct Vector {
    std::string_view seed;
    std::string_view key;
    std::string_view message;
    std::string_view signature;
  };
  const Vector vectors[] = {
      {"9d61b19deffd5a60ba844af492ec2cc44449c5697b326919703bac031cae7f60",
       "d75a980182b10ab7d54bfed3c964073a0ee172f3daa62325af021a68f707511a", "",
       "e5564300c360ac729086e2cc806e828a84877f1eb8e5d974d873e065224901555fb8821590a33bacc61e39701cf"
       "9"
       "b46bd25bf5f0595bbe24655141438e7a100b"},
      {"4ccd089b28ff96da9db6c346ec114e0f5b8a319f35aba624da8cf6ed4fb8a6fb",
       "3d4017c3e843895a92b70aa74d1b7ebc9c982ccf2ec4968cc0cd55f12af4660c", "72",
       "92a009a9f0d4cab8720e820b5f642540a2b27b5416503f8fb3762223ebdb69da085ac1e43e15996e458f3613d0f"
       "1"
       "1d8c387b2eaeb4302aeeb00d291612bb0c00"},
  };
  for (const Vector& vector : vectors) {
    const PrivateKey key(Raw(vector.seed));
    const std::string message = FromHex(vector.message);
    CHECK(key.Sign(message) == FromHex(vector.signature));
    CHECK(key.Public().ToPem() == PublicKey(Raw(vector.key)).ToPem());
    CHECK(PublicKey(Raw(vector.key)).Verifies(message, FromHex(vector.signature)));
  }
}

TEST_CASE("a signature verifies for its message and its key only") {
  const auto key = PrivateKey::Generate();
  const auto other = PrivateKey::Generate();
  REQUIRE(key.ok());
  REQUIRE(other.ok());
  const std::string signature = key->Sign("message");
  REQUIRE(signature.size() == 64);
  CHECK(key->Public().Verifies("message", signature));
  CHECK_FALSE(key->Public().Verifies("messagf", signature));
  CHECK_FALSE(key->Public().Verifies("", signature));
  CHECK_FALSE(other->Public().Verifies("message", signature));
  CHECK_FALSE(key->Public().Verifies("message", ""));
  CHECK_FALSE(key->Public().Verifies("message", signature.substr(0, 63)));
  CHECK_FALSE(key->Public().Verifies("message", signature + '\0'));
  for (std::size_t i = 0; i < signature.size(); ++i) {
    std::string flipped = signature;
    flipped[i] = static_cast<char>(flipped[i] ^ 1);
    CHECK_FALSE(key->Public().Verifies("message", flipped));
  }
}

TEST_CASE("keys are read from and written as PEM") {
  const auto key = PrivateKey::FromPem(kPrivatePem);
  REQUIRE(key.ok());
  CHECK(key->ToPem() == kPrivatePem);
  CHECK(key->Public().ToPem() == kPublicPem);
  const auto public_key = PublicKey::FromPem(kPublicPem);
  REQUIRE(public_key.ok());
  CHECK(public_key->ToPem() == kPublicPem);
  CHECK(public_key->Verifies("m", key->Sign("m")));
}

TEST_CASE("a key's id is the head of its SHA-256") {
  const std::string raw =
      FromHex("d75a980182b10ab7d54bfed3c964073a0ee172f3daa62325af021a68f707511a");
  const PublicKey key(Raw("d75a980182b10ab7d54bfed3c964073a0ee172f3daa62325af021a68f707511a"));
  CHECK(key.Id() == Sha256Hex(raw).substr(0, 16));
  CHECK(key.Id() == "21fe31dfa154a261");
}

TEST_CASE("generated keys differ") {
  CHECK(PrivateKey::Generate()->ToPem() != PrivateKey::Generate()->ToPem());
}

TEST_CASE("each kind of key is refused where the other belongs") {
  CheckBadKey<PublicKey>(kPrivatePem, "this is a private key where a public key belongs",
                         "use the .pub file, and keep the private key to its owner");
  CheckBadKey<PublicKey>(std::string(kPublicPem) + std::string(kPrivatePem),
                         "this is a private key where a public key belongs",
                         "use the .pub file, and keep the private key to its owner");
  CheckBadKey<PrivateKey>(kPublicPem, "this is a public key where a private key belongs");
}

TEST_CASE("an encrypted key is refused without asking for its passphrase") {
  CheckBadKey<PrivateKey>(
      "-----BEGIN ENCRYPTED PRIVATE KEY-----\n"
      "MIGbMFcGCSqGSIb3DQEFDTBKMCkGCSqGSIb3DQEFDDAcBAhgoewnHZPmzQICCAAw\n"
      "DAYIKoZIhvcNAgkFADAdBglghkgBZQMEASoEEE9E6R/RXBfsYRDD4P2ml4kEQJdH\n"
      "VtnxRQLDIknaXPE1o+5zZ7x6v6kT+5gbIMnio1M9I+FCU/yigbWRo0RYbw2ctHpu\n"
      "5LR3V+A2m9hihuQvt00=\n"
      "-----END ENCRYPTED PRIVATE KEY-----\n",
      "the private key is encrypted with a passphrase",
      "decrypt it first: openssl pkey -in KEY -out PLAIN");
}

TEST_CASE("keys of other algorithms and other files are refused") {
  CheckBadKey<PrivateKey>(
      "-----BEGIN PRIVATE KEY-----\n"
      "MC4CAQAwBQYDK2VuBCIEIGB5vgXJ0ZK3PXmMjZbeRRu5nNpGWMeH5C9VjCIbtLhe\n"
      "-----END PRIVATE KEY-----\n",
      "a private key, but not of Ed25519", "make one: marchctl key generate");
  CheckBadKey<PublicKey>(
      "-----BEGIN PUBLIC KEY-----\n"
      "MCowBQYDK2VuAyEAnSeqq3uxsFz9gFzuJd/PnLWDTlhne5ZnZPgXeaWzHlA=\n"
      "-----END PUBLIC KEY-----\n",
      "a public key, but not of Ed25519");
  for (const std::string_view text :
       {std::string_view(""), std::string_view("hello"), kPrivatePem.substr(0, 60),
        std::string_view("-----BEGIN PRIVATE KEY-----\n!!!!\n-----END PRIVATE KEY-----\n")}) {
    CheckBadKey<PrivateKey>(text, "not a private key in PEM");
  }
  CheckBadKey<PublicKey>("", "not a public key in PEM");
  CheckBadKey<PublicKey>(kPublicPem.substr(0, 60), "not a public key in PEM");
  CheckBadKey<PrivateKey>(std::string(1 << 20, 'a'), "not a private key: the file is too large");
  CheckBadKey<PublicKey>(std::string(1 << 20, 'a'), "not a public key: the file is too large");
}

std::string Slurp(const std::filesystem::path& path) {
  std::ifstream in(path, std::ios::binary);
  return std::string(std::istreambuf_iterator<char>(in), {});
}

TEST_CASE("the openssl program and this library understand each other") {
  if (std::system("openssl version >/dev/null 2>&1") != 0) {
    WARN("there is no openssl program here");
    return;
  }
  const std::filesystem::path root = std::filesystem::temp_directory_path() / "march-keys-test";
  std::filesystem::remove_all(root);
  std::filesystem::create_directories(root);
  const auto run = [&root](const std::string& arguments) {
    const std::string command = "cd '" + root.string() + "' && openssl " + arguments;
    return std::system((command + " >out 2>&1").c_str()) == 0;
  };
  std::ofstream(root / "message") << "the manifest";

  REQUIRE(run("genpkey -algorithm ed25519 -out theirs.pem"));
  REQUIRE(run("pkey -in theirs.pem -pubout -out theirs.pub"));
  REQUIRE(run("pkeyutl -sign -inkey theirs.pem -rawin -in message -out theirs.sig"));
  const auto theirs = PrivateKey::FromPem(Slurp(root / "theirs.pem"));
  REQUIRE(theirs.ok());
  CHECK(theirs->ToPem() == Slurp(root / "theirs.pem"));
  CHECK(theirs->Public().ToPem() == Slurp(root / "theirs.pub"));
  const auto their_public = PublicKey::FromPem(Slurp(root / "theirs.pub"));
  REQUIRE(their_public.ok());
  CHECK(their_public->Verifies("the manifest", Slurp(root / "theirs.sig")));

  const auto ours = PrivateKey::Generate();
  REQUIRE(ours.ok());
  std::ofstream(root / "ours.pub") << ours->Public().ToPem();
  std::ofstream(root / "ours.pem") << ours->ToPem();
  std::ofstream(root / "ours.sig", std::ios::binary) << ours->Sign("the manifest");
  const std::string verify = "pkeyutl -verify -rawin -in message -sigfile ";
  CHECK(run(verify + "ours.sig -pubin -inkey ours.pub"));
  CHECK(run(verify + "ours.sig -inkey ours.pem"));
  CHECK_FALSE(run(verify + "theirs.sig -pubin -inkey ours.pub"));
  std::filesystem::remove_all(root);
}

}  // namespace
}  // namespace march::bundle

// Ed25519 keys (RFC 8032) in the usual PEM files: private PKCS#8, public SubjectPublicKeyInfo; both
// are what `openssl genpkey -algorithm ed25519` makes.
#pragma once

#include <array>
#include <cstdint>
#include <string>
#include <string_view>

#include "base/outcome.h"

namespace march::bundle {

class PublicKey {
 public:
  explicit PublicKey(std::array<std::uint8_t, 32> raw) : raw_(raw) {}

  // Error: kBadKey, also for a private key's file (with the hint to use the .pub file).
  static Outcome<PublicKey> FromPem(std::string_view pem);
  std::string ToPem() const;

  // The first 16 hex digits of the SHA-256 of the 32 raw bytes: names a key, proves nothing.
  std::string Id() const;

  // `signature` must be 64 bytes; anything else does not verify.
  bool Verifies(std::string_view message, std::string_view signature) const;

 private:
  std::array<std::uint8_t, 32> raw_;
};

// Wiped from memory on destruction; never printed.
class PrivateKey {
 public:
  // Wipes its argument; wiping what was passed is the caller's.
  explicit PrivateKey(std::array<std::uint8_t, 32> seed);
  PrivateKey(const PrivateKey&) = default;
  PrivateKey& operator=(const PrivateKey&) = default;
  ~PrivateKey();

  static Outcome<PrivateKey> Generate();
  // Error: kBadKey, also for encrypted files.
  static Outcome<PrivateKey> FromPem(std::string_view pem);
  std::string ToPem() const;

  PublicKey Public() const;
  std::string Sign(std::string_view message) const;  // 64 bytes

 private:
  std::array<std::uint8_t, 32> seed_;
};

// Lower-case hex SHA-256.
std::string Sha256Hex(std::string_view bytes);

}  // namespace march::bundle

#include "bundle/keys.h"

#include <openssl/bio.h>
#include <openssl/crypto.h>
#include <openssl/err.h>
#include <openssl/evp.h>
#include <openssl/pem.h>
#include <openssl/rand.h>

#include <memory>
#include <stdexcept>

namespace march::bundle {
namespace {

constexpr std::size_t kSignatureSize = 64;
constexpr std::size_t kIdDigits = 16;

// Far above any Ed25519 key's file, far below what OpenSSL's int lengths can hold.
constexpr std::size_t kMaxPemSize = 64 * 1024;

struct Free {
  void operator()(EVP_PKEY* key) const { EVP_PKEY_free(key); }
  void operator()(EVP_MD_CTX* context) const { EVP_MD_CTX_free(context); }
  void operator()(BIO* bio) const { BIO_free_all(bio); }
};
using PkeyPtr = std::unique_ptr<EVP_PKEY, Free>;
using ContextPtr = std::unique_ptr<EVP_MD_CTX, Free>;
using BioPtr = std::unique_ptr<BIO, Free>;

const unsigned char* Bytes(std::string_view text) {
  return reinterpret_cast<const unsigned char*>(text.data());
}

// With a key of the right length these calls fail only where memory is out or OpenSSL is set up
// without Ed25519; nothing can go on then.
void Require(bool worked) {
  if (!worked) throw std::runtime_error("OpenSSL offers no Ed25519");
}

Diagnostic BadKey(std::string message, std::string hint = {}) {
  ERR_clear_error();
  return MakeDiagnostic(Code::kBadKey, {}, std::move(message), std::move(hint));
}

bool IsEd25519(const PkeyPtr& key) {
  return key != nullptr && EVP_PKEY_is_a(key.get(), "ED25519") == 1;
}

// OpenSSL's default asks the terminal; this only remembers that a passphrase was wanted.
int RefusePassphrase(char* /*buffer*/, int /*size*/, int /*writing*/, void* wanted) {
  *static_cast<bool*>(wanted) = true;
  return -1;
}

BioPtr ReadFrom(std::string_view pem) {
  BioPtr bio(BIO_new_mem_buf(pem.data(), static_cast<int>(pem.size())));
  Require(bio != nullptr);
  return bio;
}

// Memory BIOs wipe their buffer when they are freed.
std::string ContentOf(const BioPtr& bio) {
  char* data = nullptr;
  const long size = BIO_get_mem_data(bio.get(), &data);
  Require(data != nullptr && size > 0);
  return std::string(data, static_cast<std::size_t>(size));
}

PkeyPtr PrivatePkey(const std::array<std::uint8_t, 32>& seed) {
  PkeyPtr key(EVP_PKEY_new_raw_private_key(EVP_PKEY_ED25519, nullptr, seed.data(), seed.size()));
  Require(key != nullptr);
  return key;
}

}  // namespace

Outcome<PublicKey> PublicKey::FromPem(std::string_view pem) {
  if (pem.find("PRIVATE KEY-----") != std::string_view::npos) {
    return BadKey("this is a private key where a public key belongs",
                  "use the .pub file, and keep the private key to its owner");
  }
  if (pem.size() > kMaxPemSize) return BadKey("not a public key: the file is too large");
  const BioPtr bio = ReadFrom(pem);
  bool passphrase_wanted = false;
  const PkeyPtr key(PEM_read_bio_PUBKEY(bio.get(), nullptr, RefusePassphrase, &passphrase_wanted));
  if (key == nullptr) return BadKey("not a public key in PEM");
  if (!IsEd25519(key)) return BadKey("a public key, but not of Ed25519");
  std::array<std::uint8_t, 32> raw;
  std::size_t size = raw.size();
  Require(EVP_PKEY_get_raw_public_key(key.get(), raw.data(), &size) == 1 && size == raw.size());
  return PublicKey(raw);
}

std::string PublicKey::ToPem() const {
  const PkeyPtr key(
      EVP_PKEY_new_raw_public_key(EVP_PKEY_ED25519, nullptr, raw_.data(), raw_.size()));
  const BioPtr bio(BIO_new(BIO_s_mem()));
  Require(key != nullptr && bio != nullptr && PEM_write_bio_PUBKEY(bio.get(), key.get()) == 1);
  return ContentOf(bio);
}

std::string PublicKey::Id() const {
  return Sha256Hex({reinterpret_cast<const char*>(raw_.data()), raw_.size()}).substr(0, kIdDigits);
}

bool PublicKey::Verifies(std::string_view message, std::string_view signature) const {
  if (signature.size() != kSignatureSize) return false;
  const PkeyPtr key(
      EVP_PKEY_new_raw_public_key(EVP_PKEY_ED25519, nullptr, raw_.data(), raw_.size()));
  const ContextPtr context(EVP_MD_CTX_new());
  const bool good =
      key != nullptr && context != nullptr &&
      EVP_DigestVerifyInit(context.get(), nullptr, nullptr, nullptr, key.get()) == 1 &&
      EVP_DigestVerify(context.get(), Bytes(signature), signature.size(), Bytes(message),
                       message.size()) == 1;
  ERR_clear_error();
  return good;
}

PrivateKey::PrivateKey(std::array<std::uint8_t, 32> seed) : seed_(seed) {
  OPENSSL_cleanse(seed.data(), seed.size());
}

PrivateKey::~PrivateKey() {
  OPENSSL_cleanse(seed_.data(), seed_.size());
}

Outcome<PrivateKey> PrivateKey::Generate() {
  PrivateKey key{{}};
  if (RAND_priv_bytes(key.seed_.data(), static_cast<int>(key.seed_.size())) != 1) {
    return BadKey("cannot generate a key: the random source failed");
  }
  return key;
}

Outcome<PrivateKey> PrivateKey::FromPem(std::string_view pem) {
  if (pem.size() > kMaxPemSize) return BadKey("not a private key: the file is too large");
  const BioPtr bio = ReadFrom(pem);
  bool passphrase_wanted = false;
  const PkeyPtr key(
      PEM_read_bio_PrivateKey(bio.get(), nullptr, RefusePassphrase, &passphrase_wanted));
  if (passphrase_wanted) {
    return BadKey("the private key is encrypted with a passphrase",
                  "decrypt it first: openssl pkey -in KEY -out PLAIN");
  }
  if (key == nullptr && pem.find("PUBLIC KEY-----") != std::string_view::npos) {
    return BadKey("this is a public key where a private key belongs");
  }
  if (key == nullptr) return BadKey("not a private key in PEM");
  if (!IsEd25519(key)) {
    return BadKey("a private key, but not of Ed25519", "make one: marchctl key generate");
  }
  PrivateKey result{{}};
  std::size_t size = result.seed_.size();
  Require(EVP_PKEY_get_raw_private_key(key.get(), result.seed_.data(), &size) == 1 &&
          size == result.seed_.size());
  return result;
}

std::string PrivateKey::ToPem() const {
  const PkeyPtr key = PrivatePkey(seed_);
  const BioPtr bio(BIO_new(BIO_s_mem()));
  Require(bio != nullptr && PEM_write_bio_PKCS8PrivateKey(bio.get(), key.get(), nullptr, nullptr, 0,
                                                          nullptr, nullptr) == 1);
  return ContentOf(bio);
}

PublicKey PrivateKey::Public() const {
  const PkeyPtr key = PrivatePkey(seed_);
  std::array<std::uint8_t, 32> raw;
  std::size_t size = raw.size();
  Require(EVP_PKEY_get_raw_public_key(key.get(), raw.data(), &size) == 1 && size == raw.size());
  return PublicKey(raw);
}

std::string PrivateKey::Sign(std::string_view message) const {
  const PkeyPtr key = PrivatePkey(seed_);
  const ContextPtr context(EVP_MD_CTX_new());
  std::string signature(kSignatureSize, '\0');
  std::size_t size = signature.size();
  Require(context != nullptr &&
          EVP_DigestSignInit(context.get(), nullptr, nullptr, nullptr, key.get()) == 1 &&
          EVP_DigestSign(context.get(), reinterpret_cast<unsigned char*>(signature.data()), &size,
                         Bytes(message), message.size()) == 1 &&
          size == kSignatureSize);
  return signature;
}

}  // namespace march::bundle

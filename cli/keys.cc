#include "cli/keys.h"

namespace march::cli {
namespace {

constexpr std::uint64_t kMaxKeyFile = 64 * 1024;

template <class Key>
Outcome<std::vector<Key>> LoadKeys(const Environment& environment,
                                   const std::vector<std::string>& paths) {
  std::vector<Key> keys;
  for (const std::string& path : paths) {
    const auto pem = environment.files.Read(path, kMaxKeyFile);
    if (!pem) return pem.diagnostics();
    const auto key = Key::FromPem(*pem);
    if (!key) {
      Diagnostics diagnostics = key.diagnostics();
      for (Diagnostic& diagnostic : diagnostics) {
        diagnostic.message = path + ": " + diagnostic.message;
      }
      return diagnostics;
    }
    keys.push_back(*key);
  }
  return keys;
}

}  // namespace

Outcome<std::vector<bundle::PrivateKey>> LoadPrivateKeys(const Environment& environment,
                                                         const std::vector<std::string>& paths) {
  return LoadKeys<bundle::PrivateKey>(environment, paths);
}

Outcome<std::vector<bundle::PublicKey>> LoadPublicKeys(const Environment& environment,
                                                       const std::vector<std::string>& paths) {
  return LoadKeys<bundle::PublicKey>(environment, paths);
}

}  // namespace march::cli

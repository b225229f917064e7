#include "bundle/bundle.h"

#include <algorithm>
#include <optional>

#include "bundle/archive.h"
#include "bundle/manifest.h"
#include "bundle/sha256.h"
#include "bundle/text.h"

namespace march::bundle {
namespace {

constexpr std::string_view kSignatureSuffix = ".sig";
constexpr std::size_t kSignatureSize = 64;
constexpr std::size_t kIdDigits = 16;

// A bundle whose archive has been opened and nothing in it believed. Points into the archive.
struct Opened {
  std::string_view manifest;
  std::vector<Entry> files;
  std::vector<Signature> signatures;
};

std::string SignaturePath(const std::string& key_id) {
  return std::string(kSignaturePrefix) + key_id + std::string(kSignatureSuffix);
}

Outcome<Signature> ReadSignature(const Entry& entry) {
  const std::string key_id = entry.path.substr(kSignaturePrefix.size(), kIdDigits);
  if (key_id.size() != kIdDigits || entry.path != SignaturePath(key_id) ||
      key_id.find_first_not_of("0123456789abcdef") != std::string::npos) {
    return Malformed(Quoted(entry.path) + " is not named as a signature");
  }
  if (entry.content.size() != kSignatureSize) {
    return Malformed(Quoted(entry.path) + " is not a signature: it has " +
                     std::to_string(entry.content.size()) + " bytes, not 64");
  }
  return Signature{key_id, std::string(entry.content)};
}

Outcome<Opened> Open(std::string_view bytes) {
  Outcome<std::vector<Entry>> entries = ReadArchive(bytes);
  if (!entries) return std::move(entries).diagnostics();
  Opened opened;
  bool has_manifest = false;
  for (Entry& entry : *entries) {
    if (entry.path == kManifestPath) {
      opened.manifest = entry.content;
      has_manifest = true;
    } else if (IsFramePath(entry.path)) {
      Outcome<Signature> signature = ReadSignature(entry);
      if (!signature) return std::move(signature).diagnostics();
      opened.signatures.push_back(*std::move(signature));
    } else {
      opened.files.push_back(std::move(entry));
    }
  }
  if (!has_manifest) return Malformed("the bundle has no manifest.json");
  return opened;
}

Outcome<Bundle> Parse(Opened opened) {
  Outcome<Manifest> manifest = ReadManifest(opened.manifest);
  if (!manifest) return std::move(manifest).diagnostics();
  Bundle bundle;
  bundle.manifest = *std::move(manifest);
  bundle.manifest_bytes = opened.manifest;
  bundle.signatures = std::move(opened.signatures);
  bundle.files.reserve(opened.files.size());
  for (Entry& entry : opened.files) {
    bundle.files.push_back({std::move(entry.path), std::string(entry.content)});
  }
  return bundle;
}

std::string Join(const std::vector<Signature>& signatures) {
  std::string ids;
  for (const Signature& signature : signatures) ids += (ids.empty() ? "" : ", ") + signature.key_id;
  return ids;
}

// What is wrong with the signatures over the manifest's bytes, or nothing. An id proves nothing, so
// two trusted keys may share one: either may have signed.
std::optional<Diagnostic> CheckSignatures(const Opened& opened,
                                          const std::vector<PublicKey>& keys) {
  if (opened.signatures.empty()) {
    return MakeDiagnostic(Code::kBundleUnsigned, {}, "the bundle is not signed",
                          "sign it: marchctl compile POLICY --key KEY -o FILE");
  }
  bool trusted = false;
  for (const Signature& signature : opened.signatures) {
    bool claimed = false;
    bool good = false;
    for (const PublicKey& key : keys) {
      if (key.Id() != signature.key_id) continue;
      claimed = true;
      good = good || key.Verifies(opened.manifest, signature.bytes);
    }
    if (claimed && !good) {
      return MakeDiagnostic(
          Code::kBundleBadSignature, {},
          "the signature by the trusted key " + signature.key_id + " does not match the manifest",
          "the bundle was damaged or altered after it was signed: get it again from its source");
    }
    trusted = trusted || good;
  }
  if (trusted) return std::nullopt;
  return MakeDiagnostic(
      Code::kBundleUnknownSigner, {},
      keys.empty()
          ? "no key is trusted; the bundle is signed by " + Join(opened.signatures)
          : "the bundle is signed only by keys that are not trusted: " + Join(opened.signatures),
      "trust the signer's public key, or sign with a trusted key");
}

Diagnostic Mismatch(std::string message) {
  return MakeDiagnostic(
      Code::kBundleDigestMismatch, {}, std::move(message),
      "the bundle was damaged or altered after it was signed: get it again from its source");
}

// What differs between the files and the manifest, or nothing. Both are sorted and free of
// duplicates, so they must agree place by place.
std::optional<Diagnostic> CheckFiles(const Bundle& bundle) {
  auto file = bundle.files.begin();
  for (const FileDigest& listed : bundle.manifest.files) {
    if (file == bundle.files.end() || file->path > listed.path) {
      return Mismatch(Quoted(listed.path) + " is in the manifest, but not in the bundle");
    }
    if (file->path < listed.path) break;
    if (file->content.size() != listed.size) {
      return Mismatch(Quoted(file->path) + " has " + std::to_string(file->content.size()) +
                      " bytes; the manifest says " + std::to_string(listed.size));
    }
    if (!SameDigest(Sha256Hex(file->content), listed.sha256)) {
      return Mismatch("the content of " + Quoted(file->path) + " is not what the manifest says");
    }
    ++file;
  }
  if (file != bundle.files.end()) {
    return Mismatch(Quoted(file->path) + " is in the bundle, but not in the manifest");
  }
  if (!SameDigest(PolicyDigest(bundle.files), bundle.manifest.policy_digest)) {
    return Mismatch("the policy's digest is not what the manifest says");
  }
  return std::nullopt;
}

Outcome<Bundle> WithProof(Bundle bundle) {
  if (const std::string* text = bundle.Find(kProofPath)) {
    Outcome<Proof> proof = ReadProof(*text);
    if (!proof) return std::move(proof).diagnostics();
    bundle.proof = *std::move(proof);
  }
  return bundle;
}

std::string LittleEndian(std::uint64_t value) {
  std::string bytes;
  for (int i = 0; i < 8; ++i, value >>= 8) bytes += static_cast<char>(value & 0xFF);
  return bytes;
}

}  // namespace

const std::string* Bundle::Find(std::string_view path) const {
  const auto file = std::lower_bound(files.begin(), files.end(), path,
                                     [](const File& a, std::string_view b) { return a.path < b; });
  return file != files.end() && file->path == path ? &file->content : nullptr;
}

std::string PolicyDigest(const std::vector<File>& files) {
  std::vector<const File*> policy;
  for (const File& file : files) {
    if (file.path.starts_with(kPolicyPrefix)) policy.push_back(&file);
  }
  std::sort(policy.begin(), policy.end(),
            [](const File* a, const File* b) { return a->path < b->path; });
  Sha256 sha;
  for (const File* file : policy) {
    sha.Update(LittleEndian(file->path.size()));
    sha.Update(LittleEndian(file->content.size()));
    sha.Update(file->path);
    sha.Update(file->content);
  }
  return sha.Hex();
}

Outcome<std::string> Pack(const Contents& contents, const std::vector<PrivateKey>& signers) {
  Manifest manifest;
  manifest.cluster = contents.cluster;
  manifest.serial = contents.serial;
  manifest.policy_digest = PolicyDigest(contents.files);
  manifest.tool_version = contents.tool_version;
  manifest.minimum_kernel = contents.minimum_kernel;
  manifest.minimum_kernel_for = contents.minimum_kernel_for;
  manifest.mappings = contents.mappings;
  std::vector<Entry> entries;
  for (const File& file : contents.files) {
    if (IsFramePath(file.path)) {
      return MakeDiagnostic(Code::kBadPathName, {},
                            "a bundle keeps the path " + Quoted(file.path) + " for itself");
    }
    manifest.files.push_back({file.path, file.content.size(), Sha256Hex(file.content)});
    entries.push_back({file.path, file.content});
  }
  std::sort(manifest.files.begin(), manifest.files.end(),
            [](const FileDigest& a, const FileDigest& b) { return a.path < b.path; });
  const Outcome<std::string> manifest_bytes = WriteManifest(manifest);
  if (!manifest_bytes) return manifest_bytes.diagnostics();
  entries.push_back({std::string(kManifestPath), *manifest_bytes});
  std::vector<std::string> signatures;
  signatures.reserve(signers.size());  // entries point into it
  for (const PrivateKey& signer : signers) {
    signatures.push_back(signer.Sign(*manifest_bytes));
    entries.push_back({SignaturePath(signer.Public().Id()), signatures.back()});
  }
  return WriteArchive(std::move(entries));
}

Outcome<Bundle> Read(std::string_view bytes) {
  Outcome<Opened> opened = Open(bytes);
  if (!opened) return std::move(opened).diagnostics();
  Outcome<Bundle> bundle = Parse(*std::move(opened));
  return bundle ? WithProof(*std::move(bundle)) : std::move(bundle);
}

Outcome<Bundle> Verify(std::string_view bytes, const Trust& trust) {
  Outcome<Opened> opened = Open(bytes);
  if (!opened) return std::move(opened).diagnostics();
  if (const auto problem = CheckSignatures(*opened, trust.keys)) return *problem;
  Outcome<Bundle> bundle = Parse(*std::move(opened));
  if (!bundle) return bundle;
  if (const auto problem = CheckFiles(*bundle)) return *problem;
  bundle = WithProof(*std::move(bundle));
  if (!bundle) return bundle;
  if (!trust.cluster.empty() && bundle->manifest.cluster != trust.cluster) {
    return MakeDiagnostic(Code::kBundleWrongCluster, {},
                          "the bundle is for cluster " + Quoted(bundle->manifest.cluster) +
                              ", not for " + Quoted(trust.cluster),
                          "set the policy's cluster and compile it again, or pick another target");
  }
  return bundle;
}

}  // namespace march::bundle

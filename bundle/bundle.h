// The bundle (*.march): everything a gateway needs to enforce one policy, and the proof of who said
// so. A bundle is a POSIX ustar archive in exactly one canonical encoding, so equal contents are
// equal bytes on any host, and `tar tf` can look inside.
//
//   manifest.json          what the signatures cover: every other file's size and SHA-256
//   policy/...             the YAML itself
//   fastpath/xdp.o         the BPF object
//   tables/classifier.bin  the classifier tables (bundle/abi/tables.h)
//   tables/mappings.json   what each counter slot stands for (bundle/mappings.h)
//   slowpath.json          the mappings the proxy decides
//   proof.json             what was proved of tables and program (bundle/proof.h); may be missing
//   signatures/KEYID.sig   64 bytes, Ed25519 (RFC 8032) over the bytes of manifest.json
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "base/outcome.h"
#include "bundle/keys.h"
#include "bundle/proof.h"

namespace march::bundle {

inline constexpr int kFormatVersion = 1;

// No bundle, and so no upload, is larger than this many bytes.
inline constexpr std::uint64_t kMaxBundleBytes = std::uint64_t{2} << 30;

inline constexpr std::string_view kPolicyPrefix = "policy/";
inline constexpr std::string_view kXdpObjectPath = "fastpath/xdp.o";
inline constexpr std::string_view kClassifierPath = "tables/classifier.bin";
inline constexpr std::string_view kMappingsPath = "tables/mappings.json";
inline constexpr std::string_view kSlowPathPath = "slowpath.json";
inline constexpr std::string_view kProofPath = "proof.json";

struct File {
  std::string path;
  std::string content;
};

struct FileDigest {
  std::string path;
  std::uint64_t size = 0;
  std::string sha256;  // 64 lower-case hex digits
};

struct Manifest {
  int format_version = kFormatVersion;
  std::string cluster;
  std::uint64_t serial = 0;
  std::string policy_digest;  // SHA-256 over the policy files' names and contents, hex
  std::string tool_version;
  std::string minimum_kernel;  // "5.15"
  // What needs a kernel as new as that: "tables above 3 MiB". "" if every program does.
  std::string minimum_kernel_for;
  std::uint64_t mappings = 0;
  std::vector<FileDigest> files;  // sorted by path; neither the manifest nor signatures
};

struct Signature {
  std::string key_id;
  std::string bytes;  // 64
};

// A bundle that has been read. What it says can be trusted only after Verify.
struct Bundle {
  Manifest manifest;
  std::string manifest_bytes;
  std::vector<File> files;  // sorted by path; neither the manifest nor signatures
  std::vector<Signature> signatures;
  std::optional<Proof> proof;

  // The file's content, or null; files must be sorted.
  const std::string* Find(std::string_view path) const;
};

// What the compiler knows; sizes and digests are filled in by Pack.
struct Contents {
  std::string cluster;
  std::uint64_t serial = 0;
  std::uint64_t mappings = 0;
  std::string tool_version;
  std::string minimum_kernel;
  std::string minimum_kernel_for;
  std::vector<File> files;  // in any order
};

// SHA-256 over the policy files (those below policy/): for each, sorted by path, the length of the
// path and of the content as 8 little-endian bytes each, then both. Hex.
std::string PolicyDigest(const std::vector<File>& files);

// The bundle's bytes. Unsigned when `signers` is empty. Errors: kBadPathName for a path the archive
// cannot carry, kBundleMalformed for two files of one path, a signer given twice or text that is
// not UTF-8, kInputTooLarge.
Outcome<std::string> Pack(const Contents& contents, const std::vector<PrivateKey>& signers);

// Reads an archive: only the canonical encoding is accepted (sorted entries, zeroed fields, no
// trailing bytes). Checks form and the syntax of manifest and proof, but neither digests nor
// signatures: for `bundle inspect`. Errors: kBundleMalformed, kBundleNewerFormat, kInputTooLarge.
Outcome<Bundle> Read(std::string_view bytes);

// What a verifier insists on. Rollback protection (serial) is the caller's: it owns the state.
struct Trust {
  std::vector<PublicKey> keys;
  std::string cluster;  // "" accepts any
};

// Read, then: at least one signature by a trusted key over the exact manifest bytes, then every
// digest, then the proof's form, then the cluster; in this order, and nothing is parsed as JSON
// before a trusted signature over it was verified. Signatures by unknown keys beside a good one are
// ignored; a bad signature that claims a trusted key is an error. Errors: as Read, kBundleUnsigned,
// kBundleUnknownSigner, kBundleBadSignature, kBundleDigestMismatch, kBundleWrongCluster.
Outcome<Bundle> Verify(std::string_view bytes, const Trust& trust);

}  // namespace march::bundle

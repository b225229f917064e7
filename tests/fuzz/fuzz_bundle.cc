// Holds that a bundle which Read accepts is exactly what Pack's encoders write, and that Verify
// accepts only what Pack can write. An input is taken for a bundle, and then for each JSON file of
// a bundle, since a mutation that keeps an archive whole is rare.
#include <array>
#include <cstdint>
#include <cstdlib>
#include <iostream>
#include <string>
#include <string_view>

#include "bundle/archive.h"
#include "bundle/bundle.h"
#include "bundle/manifest.h"
#include "bundle/mappings.h"

namespace march::bundle {
namespace {

void Require(bool holds, const char* what) {
  if (holds) return;
  std::cerr << "does not hold: " << what << "\n";
  std::abort();
}

const PrivateKey& Key() {
  static const PrivateKey key(std::array<std::uint8_t, 32>{1});
  return key;
}

const Trust& OurTrust() {
  static const Trust trust{{Key().Public()}, ""};
  return trust;
}

// The archive of the bundle's parts, signed by `signatures`.
std::string Reassemble(const Bundle& bundle, const std::vector<Signature>& signatures) {
  std::vector<Entry> entries;
  for (const File& file : bundle.files) entries.push_back({file.path, file.content});
  entries.push_back({std::string(kManifestPath), bundle.manifest_bytes});
  for (const Signature& signature : signatures) {
    entries.push_back({"signatures/" + signature.key_id + ".sig", signature.bytes});
  }
  const Outcome<std::string> bytes = WriteArchive(std::move(entries));
  Require(bytes.ok(), "what was read can be written");
  return *bytes;
}

void CheckVerified(const Bundle& bundle, std::string_view bytes) {
  Contents contents;
  contents.cluster = bundle.manifest.cluster;
  contents.serial = bundle.manifest.serial;
  contents.mappings = bundle.manifest.mappings;
  contents.tool_version = bundle.manifest.tool_version;
  contents.minimum_kernel = bundle.manifest.minimum_kernel;
  contents.minimum_kernel_for = bundle.manifest.minimum_kernel_for;
  contents.files = bundle.files;
  const Outcome<std::string> packed = Pack(contents, {Key()});
  Require(packed.ok() && *packed == bytes, "Pack writes what was verified");
}

void CheckBundle(std::string_view bytes) {
  const Outcome<Bundle> verified = Verify(bytes, OurTrust());
  const Outcome<Bundle> bundle = Read(bytes);
  Require(bundle.ok() || !verified.ok(), "what verifies can be read");
  if (!bundle.ok()) return;
  Require(Reassemble(*bundle, bundle->signatures) == bytes, "the archive is canonical");
  Require(*WriteManifest(bundle->manifest) == bundle->manifest_bytes, "the manifest is canonical");

  // No mutation forges a signature, so sign what is there.
  const Signature signature{Key().Public().Id(), Key().Sign(bundle->manifest_bytes)};
  const std::string signed_bytes = Reassemble(*bundle, {signature});
  const Outcome<Bundle> again = Verify(signed_bytes, OurTrust());
  if (again.ok()) {
    CheckVerified(*again, signed_bytes);
  } else {
    Require(again.diagnostics()[0].code == Code::kBundleDigestMismatch,
            "only digests are left to differ");
  }
}

void CheckManifest(std::string_view text) {
  const Outcome<Manifest> manifest = ReadManifest(text);
  if (manifest.ok()) Require(*WriteManifest(*manifest) == text, "the manifest is canonical");
}

void CheckMappings(std::string_view text) {
  const Outcome<MappingTable> table = ReadMappings(text);
  if (!table.ok()) return;
  const std::string written = WriteMappings(*table);
  const Outcome<MappingTable> again = ReadMappings(written);
  Require(again.ok() && WriteMappings(*again) == written, "a mapping table survives a round trip");
}

}  // namespace
}  // namespace march::bundle

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  const std::string_view bytes(reinterpret_cast<const char*>(data), size);
  march::bundle::CheckBundle(bytes);
  march::bundle::CheckManifest(bytes);
  march::bundle::CheckMappings(bytes);
  return 0;
}

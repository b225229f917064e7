// manifest.json: what the signatures of a bundle cover. Equal manifests are equal bytes.
#pragma once

#include <string>
#include <string_view>

#include "base/outcome.h"
#include "bundle/bundle.h"

namespace march::bundle {

inline constexpr std::string_view kManifestPath = "manifest.json";
inline constexpr std::string_view kSignaturePrefix = "signatures/";

// Whether the path belongs to the bundle's own frame, so that no manifest lists it.
bool IsFramePath(std::string_view path);

// The paths have no problem (bundle/archive.h) and are sorted. Errors: kBundleMalformed for text
// that is not UTF-8, kInputTooLarge.
Outcome<std::string> WriteManifest(const Manifest& manifest);

// Accepts exactly the bytes that WriteManifest writes. Errors: kBundleMalformed, kBundleNewerFormat
// (whatever else a newer format has in it), kInputTooLarge.
Outcome<Manifest> ReadManifest(std::string_view bytes);

}  // namespace march::bundle

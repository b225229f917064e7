#include "bundle/manifest.h"

#include <algorithm>
#include <utility>

#include "bundle/archive.h"
#include "bundle/strict_json.h"
#include "bundle/text.h"

namespace march::bundle {
namespace {

using nlohmann::json;

constexpr std::string_view kFormat = "march-bundle";

// Room for kMaxEntries files with the longest paths. Bounds the memory that parsing takes.
constexpr std::size_t kMaxManifestBytes = std::size_t{128} << 20;

Diagnostic TooLarge() {
  return MakeDiagnostic(
      Code::kInputTooLarge, {},
      "manifest.json is larger than " + std::to_string(kMaxManifestBytes) + " bytes");
}

bool IsSha256(std::string_view text) {
  return text.size() == 64 && text.find_first_not_of("0123456789abcdef") == std::string_view::npos;
}

Outcome<FileDigest> ReadFile(const json& value, const std::string& where) {
  ObjectReader reader(value, where);
  FileDigest file;
  file.path = reader.String("path");
  const std::string problem = PathProblem(file.path);
  reader.Require(problem.empty(), "the path " + Quoted(file.path) + " " + problem);
  reader.Require(!IsFramePath(file.path), Quoted(file.path) + " cannot be listed");
  file.size = reader.Unsigned("size");
  file.sha256 = reader.String("sha256");
  reader.Require(IsSha256(file.sha256), "sha256 is not 64 lower-case hex digits");
  if (reader.Finish()) return *reader.problem();
  return file;
}

Outcome<std::vector<FileDigest>> ReadFiles(const json& values) {
  std::vector<FileDigest> files;
  for (const json& value : values) {
    const std::string where = "manifest.json: files[" + std::to_string(files.size()) + "]";
    Outcome<FileDigest> file = ReadFile(value, where);
    if (!file) return std::move(file).diagnostics();
    if (!files.empty() && files.back().path == file->path) {
      return Malformed(where + ": " + Quoted(file->path) + " is listed twice");
    }
    if (!files.empty() && files.back().path > file->path) {
      return Malformed(where + ": " + Quoted(file->path) + " is out of order");
    }
    files.push_back(*std::move(file));
  }
  return files;
}

}  // namespace

bool IsFramePath(std::string_view path) {
  return path == kManifestPath || path.starts_with(kSignaturePrefix);
}

Outcome<std::string> WriteManifest(const Manifest& manifest) {
  const std::pair<const char*, const std::string&> texts[] = {
      {"cluster", manifest.cluster},
      {"tool_version", manifest.tool_version},
      {"minimum_kernel", manifest.minimum_kernel},
      {"minimum_kernel_for", manifest.minimum_kernel_for}};
  for (const auto& [key, text] : texts) {
    if (!IsUtf8(text)) return Malformed(std::string(key) + " " + Quoted(text) + " is not UTF-8");
  }
  json files = json::array();
  for (const FileDigest& file : manifest.files) {
    files.push_back({{"path", file.path}, {"size", file.size}, {"sha256", file.sha256}});
  }
  json document = {{"format", kFormat},
                   {"format_version", manifest.format_version},
                   {"cluster", manifest.cluster},
                   {"serial", manifest.serial},
                   {"policy_digest", manifest.policy_digest},
                   {"tool_version", manifest.tool_version},
                   {"minimum_kernel", manifest.minimum_kernel},
                   {"mappings", manifest.mappings},
                   {"files", std::move(files)}};
  if (!manifest.minimum_kernel_for.empty()) {
    document["minimum_kernel_for"] = manifest.minimum_kernel_for;
  }
  std::string bytes = DumpJson(document);
  if (bytes.size() > kMaxManifestBytes) return TooLarge();
  return bytes;
}

Outcome<Manifest> ReadManifest(std::string_view bytes) {
  if (bytes.size() > kMaxManifestBytes) return TooLarge();
  const Outcome<json> document = ParseStrictJson(bytes, std::string(kManifestPath));
  if (!document) return document.diagnostics();
  ObjectReader reader(*document, std::string(kManifestPath));
  reader.Require(reader.String("format") == kFormat, "format is not \"march-bundle\"");
  const std::uint64_t version = reader.Unsigned("format_version");
  reader.Require(version > 0, "format_version is 0");
  if (reader.problem()) return *reader.problem();
  if (version > kFormatVersion) {
    return MakeDiagnostic(Code::kBundleNewerFormat, {},
                          "the bundle has format version " + std::to_string(version) +
                              "; this program reads version " + std::to_string(kFormatVersion),
                          "upgrade this program, or compile with the version that it has");
  }
  Manifest manifest;
  manifest.cluster = reader.String("cluster");
  manifest.serial = reader.Unsigned("serial");
  manifest.policy_digest = reader.String("policy_digest");
  reader.Require(IsSha256(manifest.policy_digest), "policy_digest is not 64 lower-case hex digits");
  manifest.tool_version = reader.String("tool_version");
  manifest.minimum_kernel = reader.String("minimum_kernel");
  if (reader.Has("minimum_kernel_for")) {
    manifest.minimum_kernel_for = reader.String("minimum_kernel_for");
  }
  manifest.mappings = reader.Unsigned("mappings");
  const json& files = reader.Array("files");
  if (reader.Finish()) return *reader.problem();
  Outcome<std::vector<FileDigest>> digests = ReadFiles(files);
  if (!digests) return std::move(digests).diagnostics();
  manifest.files = *std::move(digests);
  const Outcome<std::string> canonical = WriteManifest(manifest);
  if (!canonical || *canonical != bytes) {
    return Malformed("manifest.json is not in its canonical form");
  }
  return manifest;
}

}  // namespace march::bundle

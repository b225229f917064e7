#include "compiler/pipeline/sources.h"

#include <algorithm>
#include <utility>

#include "bundle/bundle.h"

namespace march::pipeline {
namespace {

// Deeper trees are a symbolic link in a circle, not a policy.
constexpr int kMaxDirectoryDepth = 32;

bool IsYaml(const std::string& name) {
  return name.ends_with(".yaml") || name.ends_with(".yml");
}

class TreeLoader {
 public:
  TreeLoader(const FileSystem& files, std::uint64_t max_bytes)
      : files_(files), max_bytes_(max_bytes) {}

  void Load(const std::string& path, const std::string& path_in_policy) {
    Outcome<std::string> text = files_.Read(path, max_bytes_);
    if (!text) return Add(text.diagnostics());
    sources_.push_back(std::make_shared<const Source>(path, *std::move(text), path_in_policy));
  }

  void Walk(const std::string& directory, const std::string& prefix, int depth) {
    if (depth > kMaxDirectoryDepth) {
      return Add(
          {MakeDiagnostic(Code::kCannotRead, {}, "directories nested too deeply at " + directory,
                          "look for a symbolic link that leads back")});
    }
    const auto names = files_.List(directory);
    if (!names) return Add(names.diagnostics());
    for (const std::string& name : *names) {
      if (name.starts_with('.')) continue;
      const std::string path = directory.ends_with('/') ? directory + name : directory + "/" + name;
      const FileSystem::Kind kind = files_.KindOf(path);
      if (kind == FileSystem::Kind::kDirectory) Walk(path, prefix + name + "/", depth + 1);
      if (kind == FileSystem::Kind::kFile && IsYaml(name)) Load(path, prefix + name);
    }
  }

  Outcome<SourceSet> Finish() && {
    std::sort(sources_.begin(), sources_.end(), [](const auto& a, const auto& b) {
      return a->path_in_policy() < b->path_in_policy();
    });
    return {std::move(sources_), std::move(diagnostics_)};
  }

  bool empty() const { return sources_.empty() && diagnostics_.empty(); }

 private:
  void Add(const Diagnostics& more) {
    diagnostics_.insert(diagnostics_.end(), more.begin(), more.end());
  }

  const FileSystem& files_;
  std::uint64_t max_bytes_;
  SourceSet sources_;
  Diagnostics diagnostics_;
};

Outcome<SourceSet> LoadFromBundle(const FileSystem& files, const std::string& path) {
  const auto bytes = files.Read(path, bundle::kMaxBundleBytes);
  if (!bytes) return bytes.diagnostics();
  const auto read = bundle::Read(*bytes);
  if (!read) return read.diagnostics();
  SourceSet sources;
  for (const bundle::File& file : read->files) {
    if (!file.path.starts_with(bundle::kPolicyPrefix)) continue;
    const std::string inside = file.path.substr(bundle::kPolicyPrefix.size());
    sources.push_back(std::make_shared<const Source>(path + ":" + inside, file.content, inside));
  }
  return sources;
}

std::string BaseName(const std::string& path) {
  return path.substr(path.rfind('/') + 1);
}

}  // namespace

Outcome<SourceSet> LoadSources(const FileSystem& files, const std::string& path,
                               std::uint64_t max_bytes) {
  TreeLoader loader(files, max_bytes);
  switch (files.KindOf(path)) {
    case FileSystem::Kind::kNothing:
      return MakeDiagnostic(Code::kNoPolicyFiles, {}, "there is no policy at " + path,
                            "name a YAML file, a directory or a bundle");
    case FileSystem::Kind::kFile:
      if (path.ends_with(".march")) return LoadFromBundle(files, path);
      loader.Load(path, BaseName(path));
      break;
    case FileSystem::Kind::kDirectory:
      loader.Walk(path, "", 0);
      if (loader.empty()) {
        return MakeDiagnostic(Code::kNoPolicyFiles, {}, "no *.yaml or *.yml file below " + path,
                              "name a YAML file, a directory or a bundle");
      }
      break;
  }
  return std::move(loader).Finish();
}

}  // namespace march::pipeline

#include "compiler/pipeline/sources.h"

#include <algorithm>
#include <filesystem>
#include <optional>
#include <string_view>
#include <utility>

#include "base/git/git_tree.h"
#include "bundle/archive.h"
#include "bundle/bundle.h"
#include "bundle/text.h"

namespace march::pipeline {
namespace {

// Deeper trees are a symbolic link in a circle, not a policy.
constexpr int kMaxDirectoryDepth = 32;

bool IsYaml(const std::string& name) {
  return name.ends_with(".yaml") || name.ends_with(".yml");
}

class TreeLoader {
 public:
  // Texts are called by `prefix` and their path.
  TreeLoader(const FileTree& files, const SourceLimits& limits, std::string prefix)
      : files_(files), limits_(limits), prefix_(std::move(prefix)) {}

  void Load(const std::string& path, const std::string& path_in_policy) {
    if (++count_ > limits_.max_files) {
      stopped_ = true;
      return Add({MakeDiagnostic(
          Code::kInputTooLarge, {}, "more than " + std::to_string(limits_.max_files) + " files",
          "name the policy's own directory, or allow more: --limit files=N")});
    }
    Outcome<std::string> text = files_.Read(path, limits_.max_bytes);
    if (!text) return Add(WithHint(std::move(text).diagnostics()));
    sources_.push_back(
        std::make_shared<const Source>(prefix_ + path, *std::move(text), path_in_policy));
  }

  void Walk(const std::string& directory, const std::string& below, int depth) {
    // Links that lead back multiply: what is found then is endless.
    if (depth > kMaxDirectoryDepth || ++directories_ > limits_.max_files) {
      stopped_ = true;
      return Add({MakeDiagnostic(Code::kCannotRead, {},
                                 depth > kMaxDirectoryDepth
                                     ? "directories nested too deeply at " + prefix_ + directory
                                     : "too many directories, up to " + prefix_ + directory,
                                 "look for a symbolic link that leads back")});
    }
    const auto names = files_.List(directory);
    if (!names) return Add(names.diagnostics());
    for (const std::string& name : *names) {
      if (stopped_) return;
      if (name.starts_with('.')) continue;
      const bool joined = directory.empty() || directory.ends_with('/');
      Visit(joined ? directory + name : directory + "/" + name, below + name, depth);
    }
  }

  void Visit(const std::string& path, const std::string& path_in_policy, int depth) {
    switch (files_.KindOf(path)) {
      case FileTree::Kind::kDirectory:
        return Walk(path, path_in_policy + "/", depth + 1);
      case FileTree::Kind::kFile:
        if (!IsYaml(path)) return;
        if (const std::string problem =
                bundle::PathProblem(std::string(bundle::kPolicyPrefix) + path_in_policy);
            !problem.empty()) {
          return Add({MakeDiagnostic(
              Code::kBadPathName, {},
              "a bundle cannot carry " + bundle::Quoted(path_in_policy) + ": the path " + problem,
              "rename it")});
        }
        return Load(path, path_in_policy);
      case FileTree::Kind::kNothing:
        // It may be something tomorrow, or on another host: then the policy would be another.
        return Add({MakeDiagnostic(Code::kCannotRead, {}, prefix_ + path + " leads nowhere",
                                   "remove the link or submodule, or put its files here")});
      case FileTree::Kind::kOther:
        if (!IsYaml(path)) return;
        return Add(
            {MakeDiagnostic(Code::kCannotRead, {},
                            prefix_ + path + " is a pipe, a socket or a device", "remove it")});
    }
  }

  // The policy at a path that is no bundle.
  Outcome<SourceSet> LoadAll(const std::string& path) && {
    const std::string shown = prefix_ + path;
    switch (files_.KindOf(path)) {
      case FileTree::Kind::kNothing:
        return MakeDiagnostic(Code::kNoPolicyFiles, {}, "there is no policy at " + shown,
                              "name a YAML file, a directory or a bundle");
      case FileTree::Kind::kFile:
      case FileTree::Kind::kOther:
        Load(path, path.substr(path.rfind('/') + 1));
        break;
      case FileTree::Kind::kDirectory:
        Walk(path, "", 0);
        if (sources_.empty() && diagnostics_.empty()) {
          return MakeDiagnostic(Code::kNoPolicyFiles, {}, "no *.yaml or *.yml file below " + shown,
                                "name a YAML file, a directory or a bundle");
        }
        break;
    }
    std::sort(sources_.begin(), sources_.end(), [](const auto& a, const auto& b) {
      return a->path_in_policy() < b->path_in_policy();
    });
    return {std::move(sources_), std::move(diagnostics_)};
  }

 private:
  static Diagnostics WithHint(Diagnostics faults) {
    for (Diagnostic& fault : faults) {
      if (fault.code != Code::kInputTooLarge) continue;
      fault.hint = "split it into several files, or allow more: --limit bytes=N";
    }
    return faults;
  }

  void Add(const Diagnostics& more) {
    diagnostics_.insert(diagnostics_.end(), more.begin(), more.end());
  }

  const FileTree& files_;
  SourceLimits limits_;
  std::string prefix_;
  std::size_t count_ = 0;  // of files
  std::size_t directories_ = 0;
  bool stopped_ = false;
  SourceSet sources_;
  Diagnostics diagnostics_;
};

Outcome<SourceSet> LoadFromBundle(const FileTree& files, const std::string& path) {
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

// `git:REV` or `git:REV:PATH`.
struct GitPath {
  std::string revision;
  std::optional<std::string> path;
};

std::optional<GitPath> ParseGitPath(std::string_view text) {
  constexpr std::string_view kScheme = "git:";
  if (!text.starts_with(kScheme)) return std::nullopt;
  text.remove_prefix(kScheme.size());
  const std::size_t colon = text.find(':');
  if (colon == std::string_view::npos) return GitPath{std::string(text), std::nullopt};
  return GitPath{std::string(text.substr(0, colon)), std::string(text.substr(colon + 1))};
}

// As git has it: what begins with "./" or "../" lies below the working directory, all else below
// the root.
Outcome<SourceSet> LoadFromGit(const GitPath& from, const SourceLimits& limits) {
  const auto tree = git::OpenTree(from.revision);
  if (!tree) return tree.diagnostics();
  std::string path = from.path.value_or("./");
  if (path == "." || path == ".." || path.starts_with("./") || path.starts_with("../")) {
    const auto here = git::PathInRepository(".");
    if (!here) return here.diagnostics();
    path = (std::filesystem::path(*here) / path).lexically_normal().string();
  }
  while (path.ends_with('/')) path.pop_back();
  if (path == ".") path.clear();
  return TreeLoader(**tree, limits, "git:" + from.revision + ":").LoadAll(path);
}

}  // namespace

Outcome<SourceSet> LoadSources(const FileTree& files, const std::string& path,
                               const SourceLimits& limits) {
  if (const auto from = ParseGitPath(path)) return LoadFromGit(*from, limits);
  if (path.ends_with(".march") && files.KindOf(path) == FileTree::Kind::kFile) {
    return LoadFromBundle(files, path);
  }
  return TreeLoader(files, limits, "").LoadAll(path);
}

Outcome<std::string> LocateBase(const std::string& base, const std::string& policy) {
  const auto from = ParseGitPath(base);
  if (!from || from->path) return base;
  if (const auto other = ParseGitPath(policy)) {
    return base + (other->path ? ":" + *other->path : std::string());
  }
  const auto path = git::PathInRepository(policy);
  if (!path) return path.diagnostics();
  return base + ":" + *path;
}

}  // namespace march::pipeline

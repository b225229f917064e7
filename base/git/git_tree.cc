#include "base/git/git_tree.h"

#include <git2.h>

#include <algorithm>
#include <filesystem>
#include <optional>
#include <string_view>
#include <utility>
#include <vector>

namespace march::git {
namespace {

// As many as Linux follows.
constexpr int kMaxLinks = 40;

template <class T, void (*Free)(T*)>
struct Deleter {
  void operator()(T* object) const { Free(object); }
};
using Repository = std::unique_ptr<git_repository, Deleter<git_repository, git_repository_free>>;
using Object = std::unique_ptr<git_object, Deleter<git_object, git_object_free>>;
using Tree = std::unique_ptr<git_tree, Deleter<git_tree, git_tree_free>>;
using Blob = std::unique_ptr<git_blob, Deleter<git_blob, git_blob_free>>;

// The library counts its users.
class Library {
 public:
  Library() { git_libgit2_init(); }
  Library(const Library&) = delete;
  Library& operator=(const Library&) = delete;
  ~Library() { git_libgit2_shutdown(); }
};

std::string LastError() {
  const git_error* const error = git_error_last();
  return error == nullptr ? "unknown error" : error->message;
}

// The repository around the working directory.
Outcome<Repository> OpenRepository() {
  git_repository* raw = nullptr;
  const int result = git_repository_open_ext(&raw, ".", 0, nullptr);
  if (result == GIT_EOWNER) {
    return MakeDiagnostic(Code::kCannotRead, {},
                          "the git repository around the working directory is another user's",
                          "if you trust it: git config --global --add safe.directory DIR");
  }
  if (result == GIT_ENOTFOUND) {
    return MakeDiagnostic(Code::kCannotRead, {},
                          "the working directory is not inside a git repository",
                          "go to the repository of the policy first");
  }
  if (result != 0) {
    return MakeDiagnostic(Code::kCannotRead, {},
                          "cannot open the git repository here: " + LastError());
  }
  Repository repository(raw);
  // A directory of a checkout can be made to look like a bare repository, with whatever branches
  // its author likes. `.git` is a name that git never checks out.
  const char* const root = git_repository_workdir(raw);
  std::error_code error;
  if (root == nullptr || !std::filesystem::exists(std::filesystem::path(root) / ".git", error)) {
    return MakeDiagnostic(Code::kCannotRead, {},
                          "the git repository here is bare, or only looks like one",
                          "go to a checkout of it");
  }
  return repository;
}

// How many things of the repository a revision could mean. git itself takes the first.
int CountMeanings(git_repository* repository, const std::string& revision) {
  const std::string name = revision.substr(0, revision.find_first_of("~^@"));
  int count = 0;
  for (const char* const prefix : {"", "refs/", "refs/tags/", "refs/heads/", "refs/remotes/"}) {
    git_oid id;
    count += git_reference_name_to_id(&id, repository, (prefix + name).c_str()) == 0 ? 1 : 0;
  }
  constexpr std::size_t kWholeId = 40;
  const bool hex = name.find_first_not_of("0123456789abcdefABCDEF") == std::string::npos;
  if (count > 0 && hex && name.size() < kWholeId) {
    git_oid id;
    git_object* object = nullptr;
    if (git_oid_fromstrn(&id, name.c_str(), name.size()) == 0 &&
        git_object_lookup_prefix(&object, repository, &id, name.size(), GIT_OBJECT_ANY) == 0) {
      ++count;
    }
    git_object_free(object);
  }
  return count;
}

std::vector<std::string> PartsOf(std::string_view path) {
  std::vector<std::string> parts;
  while (!path.empty()) {
    const std::size_t slash = std::min(path.find('/'), path.size());
    if (slash > 0 && path.substr(0, slash) != ".") parts.emplace_back(path.substr(0, slash));
    path.remove_prefix(std::min(slash + 1, path.size()));
  }
  return parts;
}

class GitTree final : public FileTree {
 public:
  GitTree(Repository repository, Tree root)
      : repository_(std::move(repository)), root_(std::move(root)) {}

  Kind KindOf(const std::string& path) const override {
    const auto entry = Find(path);
    if (!entry || entry->type == GIT_OBJECT_COMMIT) return Kind::kNothing;
    return entry->type == GIT_OBJECT_TREE ? Kind::kDirectory : Kind::kFile;
  }

  Outcome<std::string> Read(const std::string& path, std::uint64_t limit) const override {
    const auto entry = Find(path);
    git_blob* raw = nullptr;
    if (!entry || entry->type != GIT_OBJECT_BLOB ||
        git_blob_lookup(&raw, repository_.get(), &entry->id) != 0) {
      return CannotRead(path, entry ? "it is no file" : "it is not there");
    }
    const Blob blob(raw);
    const auto size = static_cast<std::uint64_t>(git_blob_rawsize(blob.get()));
    if (size > limit) {
      return MakeDiagnostic(Code::kInputTooLarge, {},
                            path + " is larger than " + std::to_string(limit) + " bytes");
    }
    return std::string(static_cast<const char*>(git_blob_rawcontent(blob.get())), size);
  }

  Outcome<std::vector<std::string>> List(const std::string& path) const override {
    const auto entry = Find(path);
    if (!entry || entry->type != GIT_OBJECT_TREE) return CannotRead(path, "it is no directory");
    const Tree tree = TreeOf(entry->id);
    if (!tree) return CannotRead(path, LastError());
    const std::size_t count = git_tree_entrycount(tree.get());
    std::vector<std::string> names;
    names.reserve(count);
    for (std::size_t i = 0; i < count; ++i) {
      names.emplace_back(git_tree_entry_name(git_tree_entry_byindex(tree.get(), i)));
    }
    std::sort(names.begin(), names.end());
    return names;
  }

 private:
  struct Entry {
    git_object_t type;
    git_oid id;
  };

  static Diagnostic CannotRead(const std::string& path, const std::string& why) {
    return MakeDiagnostic(Code::kCannotRead, {}, "cannot read " + path + ": " + why);
  }

  Tree TreeOf(const git_oid& id) const {
    git_tree* tree = nullptr;
    return Tree(git_tree_lookup(&tree, repository_.get(), &id) == 0 ? tree : nullptr);
  }

  // What is at the path, links followed; nothing if there is nothing, or a link leads nowhere or
  // out of the repository.
  std::optional<Entry> Find(const std::string& path) const {
    std::vector<std::string> ahead = PartsOf(path);  // the next one last
    std::reverse(ahead.begin(), ahead.end());
    std::vector<Entry> trail = {{GIT_OBJECT_TREE, *git_tree_id(root_.get())}};
    int links = 0;
    while (!ahead.empty()) {
      const std::string part = std::move(ahead.back());
      ahead.pop_back();
      if (part == "..") {
        if (trail.size() == 1) return std::nullopt;
        trail.pop_back();
        continue;
      }
      const auto [entry, link] = Step(trail.back(), part);
      if (!entry) return std::nullopt;
      if (!link) {
        trail.push_back(*entry);
        continue;
      }
      const auto target = Read(*entry);
      if (!target || target->starts_with('/') || ++links > kMaxLinks) return std::nullopt;
      const std::vector<std::string> more = PartsOf(*target);
      ahead.insert(ahead.end(), more.rbegin(), more.rend());
    }
    return trail.back();
  }

  // An entry of a directory, and whether it is a symbolic link.
  std::pair<std::optional<Entry>, bool> Step(const Entry& directory,
                                             const std::string& name) const {
    if (directory.type != GIT_OBJECT_TREE) return {};
    const Tree tree = TreeOf(directory.id);
    if (!tree) return {};
    const git_tree_entry* const entry = git_tree_entry_byname(tree.get(), name.c_str());
    if (entry == nullptr) return {};
    return {Entry{git_tree_entry_type(entry), *git_tree_entry_id(entry)},
            git_tree_entry_filemode(entry) == GIT_FILEMODE_LINK};
  }

  std::optional<std::string> Read(const Entry& link) const {
    git_blob* raw = nullptr;
    if (git_blob_lookup(&raw, repository_.get(), &link.id) != 0) return std::nullopt;
    const Blob blob(raw);
    return std::string(static_cast<const char*>(git_blob_rawcontent(blob.get())),
                       static_cast<std::size_t>(git_blob_rawsize(blob.get())));
  }

  Library library_;
  Repository repository_;
  Tree root_;
};

}  // namespace

Outcome<std::unique_ptr<FileTree>> OpenTree(const std::string& revision) {
  const Library library;
  auto repository = OpenRepository();
  if (!repository) return repository.diagnostics();
  if (CountMeanings(repository->get(), revision) > 1) {
    return MakeDiagnostic(Code::kCannotRead, {},
                          "the git revision " + revision + " could mean several things",
                          "write it in full: refs/heads/..., refs/tags/..., or all 40 digits");
  }
  git_object* raw = nullptr;
  if (git_revparse_single(&raw, repository->get(), revision.c_str()) != 0) {
    return MakeDiagnostic(Code::kCannotRead, {}, "there is no git revision " + revision + " here",
                          "if it is on another host, fetch it first: git fetch origin " + revision);
  }
  const Object object(raw);
  git_object* tree = nullptr;
  if (git_object_peel(&tree, object.get(), GIT_OBJECT_TREE) != 0) {
    return MakeDiagnostic(Code::kCannotRead, {}, "the git revision " + revision + " has no files",
                          "name a commit, a branch or a tag");
  }
  // A tree object is what was asked for.
  return std::unique_ptr<FileTree>(
      std::make_unique<GitTree>(*std::move(repository), Tree(reinterpret_cast<git_tree*>(tree))));
}

Outcome<std::string> PathInRepository(const std::string& path) {
  namespace fs = std::filesystem;
  const Library library;
  const auto repository = OpenRepository();
  if (!repository) return repository.diagnostics();
  std::error_code error;
  const fs::path root = fs::canonical(git_repository_workdir(repository->get()), error);
  const fs::path whole = (fs::current_path(error) / path).lexically_normal();
  std::string relative = whole.lexically_relative(root).string();
  while (relative.ends_with('/')) relative.pop_back();
  if (relative.empty() || relative == ".." || relative.starts_with("../")) {
    return MakeDiagnostic(Code::kCannotRead, {}, path + " lies outside of the git repository here",
                          "name the path to compare with: git:REV:PATH");
  }
  return relative == "." ? std::string() : relative;
}

}  // namespace march::git

#include <cerrno>
#include <set>

#include "base/file_system.h"

namespace march {
namespace {

std::string Below(const std::string& path) {
  return path.empty() || path.back() == '/' ? path : path + "/";
}

}  // namespace

FileSystem::Kind MemoryFileSystem::KindOf(const std::string& path) const {
  if (files_.contains(path)) return Kind::kFile;
  const std::string prefix = Below(path);
  const auto it = files_.lower_bound(prefix);
  return it != files_.end() && it->first.starts_with(prefix) ? Kind::kDirectory : Kind::kNothing;
}

Outcome<std::string> MemoryFileSystem::Read(const std::string& path, std::uint64_t limit) const {
  const auto it = files_.find(path);
  if (it == files_.end()) {
    return MakeDiagnostic(Code::kCannotRead, {},
                          "cannot read " + path + ": No such file or directory");
  }
  if (it->second.size() > limit) {
    return MakeDiagnostic(Code::kInputTooLarge, {},
                          path + " is larger than " + std::to_string(limit) + " bytes");
  }
  return it->second;
}

Outcome<std::vector<std::string>> MemoryFileSystem::List(const std::string& path) const {
  if (KindOf(path) != Kind::kDirectory) {
    return MakeDiagnostic(Code::kCannotRead, {}, "cannot read " + path + ": Not a directory");
  }
  const std::string prefix = Below(path);
  std::set<std::string> names;
  for (auto it = files_.lower_bound(prefix); it != files_.end() && it->first.starts_with(prefix);
       ++it) {
    const std::string rest = it->first.substr(prefix.size());
    names.insert(rest.substr(0, rest.find('/')));
  }
  return std::vector<std::string>(names.begin(), names.end());
}

Outcome<Done> MemoryFileSystem::WriteAtomically(const std::string& path, const std::string& content,
                                                unsigned /*mode*/) {
  files_[path] = content;
  return Done{};
}

Outcome<Done> MemoryFileSystem::RewriteAtomically(const std::string& path,
                                                  const std::string& content) {
  return WriteAtomically(path, content, 0);
}

Outcome<Done> MemoryFileSystem::Remove(const std::string& path) {
  files_.erase(path);
  const std::string prefix = Below(path);
  for (auto it = files_.lower_bound(prefix); it != files_.end() && it->first.starts_with(prefix);) {
    it = files_.erase(it);
  }
  return Done{};
}

}  // namespace march

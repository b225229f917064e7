// The first step: which texts are the policy.
#pragma once

#include <cstddef>
#include <cstdint>
#include <string>

#include "base/file_system.h"
#include "base/outcome.h"
#include "base/source.h"

namespace march::pipeline {

struct SourceLimits {
  std::uint64_t max_bytes = std::uint64_t{64} << 20;  // of one file
  std::size_t max_files = 100'000;
};

// The policy's texts at `path` (see Compile), sorted by their path below it. Names that begin with
// a dot are passed over. Errors: kCannotRead, kNoPolicyFiles, kInputTooLarge, kBadPathName, and
// those of bundle::Read.
Outcome<SourceSet> LoadSources(const FileTree& files, const std::string& path,
                               const SourceLimits& limits);

// Where to find what a policy is compared with. `base` is a path as Compile takes it; of
// `git:REV`, without a path, the policy's own place in its repository is meant. Error: kCannotRead.
Outcome<std::string> LocateBase(const std::string& base, const std::string& policy);

}  // namespace march::pipeline

// The first step: which texts are the policy.
#pragma once

#include <cstdint>
#include <string>

#include "base/file_system.h"
#include "base/outcome.h"
#include "base/source.h"

namespace march::pipeline {

// The policy's texts at `path` (see Compile), sorted by their path below it. Names that begin with
// a dot are passed over. Errors: kCannotRead, kNoPolicyFiles, kInputTooLarge, kBadPathName, and
// those of bundle::Read.
Outcome<SourceSet> LoadSources(const FileSystem& files, const std::string& path,
                               std::uint64_t max_bytes);

}  // namespace march::pipeline

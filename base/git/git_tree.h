// A commit of a git repository, read from its objects: nothing is checked out, and neither hooks
// nor filters run.
#pragma once

#include <memory>
#include <string>

#include "base/file_system.h"
#include "base/outcome.h"

namespace march::git {

// The tree of `revision` (gitrevisions(7)) in the repository that encloses the working directory.
// Its paths begin at the repository's root, whose path is ""; symbolic links are followed inside
// it. What leads nowhere, or out of it, is nothing, and so is a submodule. Errors: kCannotRead when
// there is no repository, or no such revision, or several.
Outcome<std::unique_ptr<FileTree>> OpenTree(const std::string& revision);

// Where `path` lies in the repository that encloses the working directory, by its name alone: links
// are not followed, since who may change them may not choose what they are compared with. "" for
// the root. Error: kCannotRead, also for a path outside.
Outcome<std::string> PathInRepository(const std::string& path);

}  // namespace march::git

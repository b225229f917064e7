// A commit of a git repository, read from its objects: nothing is checked out, and neither hooks
// nor filters run.
#pragma once

#include <memory>
#include <string>

#include "base/file_system.h"
#include "base/outcome.h"

namespace march::git {

// The tree of `revision` (gitrevisions(7)) in the repository that encloses `directory`. Its paths
// begin at the repository's root, whose path is ""; symbolic links are followed inside it. Errors:
// kCannotRead when there is no repository or no such revision.
Outcome<std::unique_ptr<FileTree>> OpenTree(const std::string& directory,
                                            const std::string& revision);

// Where a file or a directory of the disk lies in the repository that encloses it.
struct Place {
  std::string root;  // of the repository
  std::string path;  // below that; "" for the root itself
};
// Error: kCannotRead.
Outcome<Place> PlaceOf(const std::string& path);

}  // namespace march::git

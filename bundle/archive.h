// The container of a bundle: POSIX ustar (IEEE Std 1003.1, pax) restricted until every set of files
// has exactly one encoding. Only regular files, sorted by path in byte order; mode 0644, owner,
// group and time zero; numbers in octal with leading zeros; a long path cut at the first slash that
// fits; padding of zeros; two zero blocks at the end and nothing behind them.
#pragma once

#include <string>
#include <string_view>
#include <vector>

#include "base/outcome.h"

namespace march::bundle {

inline constexpr std::size_t kMaxEntries = 100'000;

struct Entry {
  std::string path;
  std::string_view content;  // not owned
};

// What keeps a path out of an archive ("is absolute"), or "". A path is relative UTF-8 without
// control bytes and backslashes, its components neither empty nor "." nor "..", and it fits the
// fields of ustar.
std::string PathProblem(std::string_view path);

// The archive of the entries, which may come in any order. Errors: kBadPathName, kBundleMalformed
// for two entries of one path, kInputTooLarge above kMaxEntries or kMaxBundleBytes.
Outcome<std::string> WriteArchive(std::vector<Entry> entries);

// The entries, sorted by path, of exactly those bytes that WriteArchive can write; their contents
// point into `bytes`. Errors: kBundleMalformed, kInputTooLarge.
Outcome<std::vector<Entry>> ReadArchive(std::string_view bytes);

}  // namespace march::bundle

// The gateway's block list: what is on it, on disk, and in force.
#pragma once

#include <cstdint>
#include <functional>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "base/file_system.h"
#include "base/outcome.h"
#include "runtime/block/list_text.h"
#include "runtime/telemetry/log.h"

namespace march::block {

// By prefix, each once.
using List = std::vector<Entry>;

// Of two entries of one prefix, the later holds.
List Merge(List list, std::vector<Entry> entries);

// Not thread-safe. Refers to its edges; they must outlive it. What fails changes nothing.
class Blocks {
 public:
  // Puts prefixes in force, instead of those before, and returns when they are.
  using Publish = std::function<void(const std::vector<Prefix>&)>;
  using Clock = std::function<std::int64_t()>;  // seconds since 1970 in UTC

  // `path` is the list on disk, of at most `capacity` entries.
  Blocks(std::string path, std::uint32_t capacity, FileSystem& files, telemetry::Logger& log);
  Blocks(std::string path, std::uint32_t capacity, FileSystem& files, telemetry::Logger& log,
         Clock clock);

  // Reads the list and puts it in force. Once, and before anything else. A list that cannot be read
  // is said in the log, and is empty.
  void Start(Publish publish);

  struct Added {
    std::size_t added = 0;
    std::size_t renewed = 0;  // were on the list, and have this expiry and comment now
  };
  // A list as ReadList takes it, in force for so many seconds, or for ever. `comment` is for
  // entries that have none. Errors: kBadBlock, kBlockListFull, kCannotWrite.
  Outcome<Added> Add(std::string_view list, std::optional<std::uint64_t> seconds,
                     const std::string& comment);

  struct Removed {
    std::size_t removed = 0;
    std::vector<Prefix> missing;  // were not on the list
  };
  // Exactly these prefixes, as ReadList takes them. Errors: kBadBlock, kCannotWrite.
  Outcome<Removed> Remove(std::string_view list);
  Outcome<Removed> RemoveAll();

  // Takes off what has expired. Call it every second or so.
  void Expire();

  const List& list() const { return list_; }
  std::uint32_t capacity() const { return capacity_; }
  std::int64_t Now() const { return clock_(); }

 private:
  Outcome<Done> Become(List list);
  void Enforce();

  std::string path_;
  std::uint32_t capacity_;
  FileSystem& files_;
  telemetry::Logger& log_;
  Clock clock_;
  Publish publish_;
  List list_;
  std::int64_t next_expiry_ = 0;
};

}  // namespace march::block

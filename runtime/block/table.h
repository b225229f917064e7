// The table of a block list, as programs read it (bundle/abi/block.h).
#pragma once

#include <cstdint>
#include <span>
#include <vector>

#include "base/outcome.h"
#include "runtime/block/map_memory.h"
#include "runtime/block/prefix.h"

namespace march::block {

// One half of the table.
struct Half {
  std::span<std::uint64_t> filter;  // MARCH_BLOCK_FILTER_HALF(capacity) words
  std::span<std::uint64_t> lines;   // MARCH_BLOCK_HALF(capacity) lines of words
};

// Writes it. `prefixes` are at most `capacity`, in any order, and may hold one another. Returns the
// seed of its hashes.
std::uint32_t FillHalf(const Half& half, std::uint32_t capacity,
                       const std::vector<Prefix>& prefixes);

// The maps `march_block_filter` and `march_blocks` in this process' memory.
class LiveTable {
 public:
  // Keeps no descriptor. Error: kKernelRefused.
  static Outcome<LiveTable> Open(int filter_fd, int lines_fd, std::uint32_t capacity);

  // Puts another list in force, for every packet that begins afterwards. Before it is called again,
  // no program may run any more that has begun before it returned (bpf::Kernel::Settle).
  void Publish(const std::vector<Prefix>& prefixes);

 private:
  LiveTable(MapMemory filter, MapMemory lines, std::uint32_t capacity)
      : filter_(std::move(filter)), lines_(std::move(lines)), capacity_(capacity) {}

  MapMemory filter_;
  MapMemory lines_;
  std::uint32_t capacity_;
};

}  // namespace march::block

// A BPF array that can be mapped (BPF_F_MMAPABLE), in this process' memory.
#pragma once

#include <cstddef>
#include <cstdint>
#include <span>
#include <string>

#include "base/outcome.h"

namespace march::block {

class MapMemory {
 public:
  // Its first words, for reading and writing. Keeps no descriptor. `what` is for messages. Error:
  // kKernelRefused.
  static Outcome<MapMemory> Open(int fd, std::size_t words, const std::string& what);
  MapMemory(MapMemory&& other) noexcept;
  MapMemory& operator=(MapMemory&&) = delete;
  ~MapMemory();

  std::span<std::uint64_t> words() const { return words_; }

 private:
  explicit MapMemory(std::span<std::uint64_t> words) : words_(words) {}

  std::span<std::uint64_t> words_;
};

}  // namespace march::block

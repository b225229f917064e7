#include "runtime/block/map_memory.h"

#include <sys/mman.h>

#include <cerrno>
#include <system_error>
#include <utility>

namespace march::block {

Outcome<MapMemory> MapMemory::Open(int fd, std::size_t words, const std::string& what) {
  const std::size_t bytes = words * sizeof(std::uint64_t);
  void* memory = ::mmap(nullptr, bytes, PROT_READ | PROT_WRITE, MAP_SHARED, fd, 0);
  if (memory == MAP_FAILED) {
    return MakeDiagnostic(
        Code::kKernelRefused, {},
        "cannot map " + what + " into memory: " + std::generic_category().message(errno));
  }
  return MapMemory({static_cast<std::uint64_t*>(memory), words});
}

MapMemory::MapMemory(MapMemory&& other) noexcept : words_(std::exchange(other.words_, {})) {}

MapMemory::~MapMemory() {
  if (!words_.empty()) ::munmap(words_.data(), words_.size_bytes());
}

}  // namespace march::block

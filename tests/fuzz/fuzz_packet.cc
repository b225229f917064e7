// The packet reader on any bytes: it stays inside the frame, and what it asks to judge is
// well-formed.
#include <cstdint>
#include <cstdlib>
#include <cstring>
#include <memory>

#include "bundle/abi/verdict.h"
#include "compiler/prove/native_reader.h"

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  // Of the exact size, so that a sanitizer sees one byte too far.
  const std::unique_ptr<std::uint8_t[]> frame(new std::uint8_t[size]);
  if (size > 0) std::memcpy(frame.get(), data, size);
  march_key key{};
  const std::uint32_t slot = march_native_read(frame.get(), size, &key);
  if (slot != MARCH_NATIVE_JUDGE) {
    if (slot >= MARCH_SLOT_DEFAULT) std::abort();
    return 0;
  }
  if (key.family != 4 && key.family != 6) std::abort();
  if (key.family == 4 && (key.src_hi != 0 || key.dst_hi != 0 || key.src_lo >> 32 != 0))
    std::abort();
  if (key.l4 >= MARCH_L4_KEYS) std::abort();
  return 0;
}

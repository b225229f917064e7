#include "compiler/prove/native_reader.h"

#define MARCH_INLINE static inline
#define MARCH_FORGET(value, length) ((void)(length), (value))
#include "bpf-templates/common/packet.h"

_Static_assert(MARCH_NATIVE_JUDGE == MARCH_JUDGE, "one number for one meaning");

uint32_t march_native_read(const uint8_t* frame, size_t size, struct march_key* key) {
  return march_read_frame(frame, frame + size, key);
}

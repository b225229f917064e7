// The maps of a bundle's program, for those of the tests. The includer says how many words of
// tables there are (TABLE_WORDS), and how many entries of counters (COUNTERS) of which type
// (COUNTER).
#define SEC(name) __attribute__((section(name), used))

enum { kMapArray = 2, kMapMmapable = 1 << 10 };

struct lines {
  uint64_t words[TABLE_WORDS];
};

struct {
  int (*type)[kMapArray];
  int (*map_flags)[kMapMmapable];
  int (*max_entries)[1];
  uint32_t* key;
  struct lines* value;
} march_tables SEC(".maps");

struct {
  int (*type)[kMapArray];
  int (*map_flags)[kMapMmapable];
  int (*max_entries)[COUNTERS];
  uint32_t* key;
  COUNTER* value;
} march_counters SEC(".maps");

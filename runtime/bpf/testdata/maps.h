// The maps of a bundle's program, for those of the tests, and how to say more. The includer says
// how many words of tables there are (TABLE_WORDS), and how many entries of counters (COUNTERS) of
// which type (COUNTER).
#define SEC(name) __attribute__((section(name), used))

enum { kMapArray = 2, kMapMmapable = 1 << 10 };

struct lines {
  uint64_t words[TABLE_WORDS];
};

#define MAP(name, entries, entry)   \
  struct {                          \
    int (*type)[kMapArray];         \
    int (*map_flags)[kMapMmapable]; \
    int (*max_entries)[entries];    \
    uint32_t* key;                  \
    entry* value;                   \
  } name SEC(".maps")

MAP(march_tables, 1, struct lines);
MAP(march_counters, COUNTERS, COUNTER);

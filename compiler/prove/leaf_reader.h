// A reader of the leaves of the classifier tables, by their documented form; see table_reader.h.
#pragma once

#include <cstdint>
#include <unordered_map>
#include <vector>

#include "compiler/prove/settle.h"
#include "compiler/prove/table_reader.h"
#include "compiler/space/interval_set.h"

namespace march::prove {

// A place in layer 4: a layer-4 key as in struct march_key, and a source port.
struct Place {
  std::uint32_t key = 0;
  std::uint32_t source_port = 0;
};

// Reads each set once, so it is for one thread.
class LeafReader {
 public:
  // The reader must outlive it.
  LeafReader(const TableReader& tables, space::Family family);

  // Adds the keys at which what is found in the leaf may change.
  void AddKeys(std::uint64_t leaf, std::vector<std::uint32_t>& keys, Fault& fault);
  // Likewise the source ports, of packets with this key.
  void AddSourcePorts(std::uint64_t leaf, std::uint32_t key, std::vector<std::uint32_t>& ports,
                      Fault& fault);
  // Whether packets of this leaf are told apart by source port.
  bool AsksForSourcePorts(std::uint64_t leaf, Fault& fault);
  // Adds the mappings that match, in the leaf's order.
  void AddMatches(std::uint64_t leaf, const Place& place, std::vector<Match>& matches,
                  Fault& fault);

 private:
  using Intervals = std::vector<space::Interval<std::uint32_t>>;
  struct Set {
    Intervals keys;  // ascending
    bool some = false;
    Intervals source_ports;
    bool every_source_port = false;
  };
  struct Run {
    std::uint32_t at = 0;
    std::uint32_t count = 0;
  };

  const Set& SetOf(std::uint64_t rule, Fault& fault);
  Intervals ReadIntervals(std::uint64_t word, std::uint32_t limit, Fault& fault) const;
  // The words of a TABLE or LIST, checked against the bounds of the shape.
  Run RunOf(std::uint64_t leaf, Fault& fault) const;
  std::uint64_t LeafBehind(std::uint64_t leaf, std::uint32_t key, Fault& fault) const;
  template <class Visit>
  void ForEachRule(std::uint64_t leaf, Visit&& visit, Fault& fault);
  void AddKeysOf(std::uint64_t leaf, std::uint32_t from, std::uint32_t to,
                 std::vector<std::uint32_t>& keys, Fault& fault);
  void AddMatch(std::uint64_t rule, const Place& place, std::vector<Match>& matches, Fault& fault);

  const TableReader& tables_;
  std::uint32_t sets_at_;
  std::unordered_map<std::uint32_t, Set> sets_;
};

}  // namespace march::prove

// The cells of a pair of address classes: what policy and tables distinguish of layer 4, and what
// becomes of a packet in each.
#pragma once

#include <cstddef>
#include <cstdint>
#include <span>
#include <string>
#include <unordered_map>
#include <vector>

#include "compiler/prove/leaf_reader.h"
#include "compiler/prove/plain_policy.h"
#include "compiler/prove/settle.h"

namespace march::prove {

// Layer-4 keys (those from MARCH_L4_FRAGMENT on are of later fragments) and source ports.
struct Cell {
  // As the cell is bounded.
  std::uint32_t first_key = 0;
  std::uint32_t last_key = 0;
  std::uint32_t first_port = 0;
  std::uint32_t last_port = 0;
  // The first and last key in it that packets can have.
  std::uint32_t first_real_key = 0;
  std::uint32_t last_real_key = 0;
  Fate expected;  // by the policy
};

struct Difference {
  std::size_t cell = 0;
  Fate found;  // in the tables
};

// All cells of pairs of classes that hold the same mappings and meet the same leaves: there is no
// whole packet and no fragment without one, so there are at least two.
struct Cells {
  std::vector<Cell> cells;
  std::vector<Difference> differences;
  // SHA-256 over the bounds and the expected fate of every cell, six 64-bit little-endian numbers
  // each: keys, ports, verdict, slot under audit.
  std::string digest;
};

// Finds the cells of pairs of classes of one family and compares them; remembers them, for pairs
// that have the same in common. For one thread.
class CellFinder {
 public:
  // All must outlive it.
  CellFinder(const PlainPolicy& policy, const TableReader& tables, space::Family family);

  // `mappings` are places in PlainPolicy::mappings(), ascending. The cells are good until the next
  // call.
  const Cells& Find(std::span<const std::uint32_t> mappings, const MetLeaves& leaves, Fault& fault);

 private:
  using Key = std::vector<std::uint32_t>;
  struct Hash {
    std::size_t operator()(const Key& key) const;
  };

  Cells Compute(std::span<const std::uint32_t> mappings, const MetLeaves& leaves, Fault& fault);
  void AddCells(std::uint32_t first_key, std::uint32_t last_key,
                std::span<const std::uint32_t> mappings, const MetLeaves& leaves, Cells& result,
                Fault& fault);
  bool IsReal(std::uint32_t protocol) const;
  bool FindRealKeys(Cell& cell) const;
  Fate ByPolicy(std::span<const std::uint32_t> mappings, const Place& place) const;
  Fate ByTables(const MetLeaves& leaves, const Place& place, Fault& fault);

  const PlainPolicy& policy_;
  const TableReader& tables_;
  space::Family family_;
  LeafReader leaves_;
  Key key_;
  std::vector<Match> matches_;
  std::size_t known_bytes_ = 0;
  std::unordered_map<Key, Cells, Hash> known_;
};

}  // namespace march::prove

#include "compiler/prove/cells.h"

#include <algorithm>

#include "bundle/sha256.h"
#include "compiler/space/protocol.h"

namespace march::prove {
namespace {

constexpr std::uint32_t kLastPort = 0xFFFF;
constexpr std::uint32_t kProtocolShift = 16;

// What is remembered at most; then it begins anew.
constexpr std::size_t kMostKnownBytes = std::size_t{192} << 20;

bool Holds(const KeyIntervals& intervals, std::uint32_t key) {
  const auto next =
      std::upper_bound(intervals.begin(), intervals.end(), key,
                       [](std::uint32_t k, const auto& part) { return k < part.first; });
  return next != intervals.begin() && key <= std::prev(next)->last;
}

void SortUnique(std::vector<std::uint32_t>& numbers) {
  std::sort(numbers.begin(), numbers.end());
  numbers.erase(std::unique(numbers.begin(), numbers.end()), numbers.end());
}

bool HasDetails(std::uint32_t protocol) {
  const auto number = static_cast<std::uint8_t>(protocol);
  return space::HasPorts(number) || space::IsIcmp(number);
}

std::string DigestOf(const std::vector<Cell>& cells) {
  std::string bytes;
  bytes.reserve(cells.size() * 48);
  const auto add = [&](std::uint64_t value) {
    for (unsigned i = 0; i < 8; ++i) bytes += static_cast<char>(value >> (8 * i));
  };
  for (const Cell& cell : cells) {
    add(cell.first_key);
    add(cell.last_key);
    add(cell.first_port);
    add(cell.last_port);
    add(MARCH_VERDICT(cell.expected.allow ? MARCH_ACTION_ALLOW : MARCH_ACTION_DENY,
                      cell.expected.slot));
    add(cell.expected.audit);
  }
  bundle::Sha256 sha;
  sha.Update(bytes);
  return sha.Hex();
}

}  // namespace

std::size_t CellFinder::Hash::operator()(const Key& key) const {
  std::uint64_t hash = key.size();
  for (const std::uint32_t number : key) {
    hash = (hash ^ number) * 0x9E3779B97F4A7C15;
    hash ^= hash >> 29;
  }
  return hash;
}

CellFinder::CellFinder(const PlainPolicy& policy, const TableReader& tables, space::Family family)
    : policy_(policy), tables_(tables), family_(family), leaves_(tables, family) {}

const Cells& CellFinder::Find(std::span<const std::uint32_t> mappings, const MetLeaves& leaves,
                              Fault& fault) {
  key_.clear();
  for (const std::uint64_t leaf : leaves) {
    key_.push_back(static_cast<std::uint32_t>(leaf));
    key_.push_back(static_cast<std::uint32_t>(leaf >> 32));
  }
  key_.insert(key_.end(), mappings.begin(), mappings.end());
  if (const auto found = known_.find(key_); found != known_.end()) return found->second;
  if (known_bytes_ > kMostKnownBytes) {
    known_.clear();
    known_bytes_ = 0;
  }
  const Cells& computed = known_.emplace(key_, Compute(mappings, leaves, fault)).first->second;
  constexpr std::size_t kOverhead = 256;
  known_bytes_ += kOverhead + key_.size() * sizeof(key_[0]) +
                  computed.cells.capacity() * sizeof(Cell) +
                  computed.differences.capacity() * sizeof(Difference);
  return computed;
}

Cells CellFinder::Compute(std::span<const std::uint32_t> mappings, const MetLeaves& leaves,
                          Fault& fault) {
  std::vector<std::uint32_t> keys = {0, MARCH_L4_FRAGMENT, MARCH_L4_KEYS};
  const auto add = [&](const KeyIntervals& intervals) {
    for (const auto& part : intervals) {
      keys.push_back(part.first);
      keys.push_back(part.last + 1);
    }
  };
  bool by_source_port = false;
  for (const std::uint32_t place : mappings) {
    const PlainMapping& mapping = policy_.mappings()[place];
    add(mapping.certain);
    add(mapping.perhaps);
    by_source_port |= !mapping.source_ports.empty();
  }
  for (const std::uint64_t leaf : leaves) {
    if (leaf == 0) continue;
    leaves_.AddKeys(leaf, keys, fault);
    by_source_port = by_source_port || leaves_.AsksForSourcePorts(leaf, fault);
  }
  if (by_source_port) {
    // Then packets that have source ports are not in one cell with those that have none.
    for (const std::uint32_t protocol : {space::kTcp, space::kUdp, space::kSctp}) {
      keys.push_back(MARCH_L4_KEY(protocol, 0U));
      keys.push_back(MARCH_L4_KEY(protocol, kLastPort) + 1);
    }
  }
  SortUnique(keys);
  Cells result;
  for (std::size_t i = 0; i + 1 < keys.size() && !fault.raised(); ++i) {
    AddCells(keys[i], keys[i + 1] - 1, mappings, leaves, result, fault);
  }
  result.digest = DigestOf(result.cells);
  return result;
}

// Whether a packet of the family can have the protocol.
bool CellFinder::IsReal(std::uint32_t protocol) const {
  return family_ == space::Family::kV4 ||
         !space::IsExtensionHeader(static_cast<std::uint8_t>(protocol));
}

bool CellFinder::FindRealKeys(Cell& cell) const {
  const std::uint32_t fragment = cell.first_key & MARCH_L4_FRAGMENT;
  const std::uint32_t first = cell.first_key & ~MARCH_L4_FRAGMENT;
  const std::uint32_t last = cell.last_key - fragment;
  bool found = false;
  for (std::uint32_t protocol = first >> kProtocolShift; protocol <= last >> kProtocolShift;
       ++protocol) {
    if (!IsReal(protocol)) continue;
    const std::uint32_t base = protocol << kProtocolShift;
    const bool details = fragment == 0 && HasDetails(protocol);
    const std::uint32_t from = std::max(first, base);
    const std::uint32_t to = details ? std::min(last, base | kLastPort) : base;
    if (from > to) continue;
    if (!found) cell.first_real_key = fragment | from;
    cell.last_real_key = fragment | to;
    found = true;
  }
  return found;
}

void CellFinder::AddCells(std::uint32_t first_key, std::uint32_t last_key,
                          std::span<const std::uint32_t> mappings, const MetLeaves& leaves,
                          Cells& result, Fault& fault) {
  Cell cell;
  cell.first_key = first_key;
  cell.last_key = last_key;
  if (!FindRealKeys(cell)) return;
  const std::uint32_t key = cell.first_real_key;
  // Packets without ports are at 0.
  std::vector<std::uint32_t> ports = {0, kLastPort + 1};
  const bool has_ports = (key & MARCH_L4_FRAGMENT) == 0 &&
                         space::HasPorts(static_cast<std::uint8_t>(key >> kProtocolShift));
  if (has_ports) {
    for (const std::uint32_t place : mappings) {
      const PlainMapping& mapping = policy_.mappings()[place];
      if (mapping.source_ports.empty() || !Holds(mapping.certain, key)) continue;
      for (const auto& part : mapping.source_ports) {
        ports.push_back(part.first);
        ports.push_back(part.last + 1);
      }
    }
    for (const std::uint64_t leaf : leaves) {
      if (leaf != 0 && tables_.shape().source_ports + tables_.shape().source_port_depth != 0) {
        leaves_.AddSourcePorts(leaf, key, ports, fault);
      }
    }
    SortUnique(ports);
  }
  for (std::size_t i = 0; i + 1 < ports.size() && ports[i] <= kLastPort; ++i) {
    cell.first_port = ports[i];
    cell.last_port = ports[i + 1] - 1;
    const Place place = {key, cell.first_port};
    cell.expected = ByPolicy(mappings, place);
    const Fate found = ByTables(leaves, place, fault);
    if (!(found == cell.expected)) result.differences.push_back({result.cells.size(), found});
    result.cells.push_back(cell);
  }
}

Fate CellFinder::ByPolicy(std::span<const std::uint32_t> mappings, const Place& place) const {
  const bool fragment = (place.key & MARCH_L4_FRAGMENT) != 0;
  Settling settling(policy_.default_allow());
  for (const std::uint32_t number : mappings) {
    const PlainMapping& mapping = policy_.mappings()[number];
    Match match = {mapping.slot, mapping.allow, mapping.audit, true};
    if (!Holds(mapping.certain, place.key)) {
      if (!fragment || !Holds(mapping.perhaps, place.key)) continue;
      match.certain = false;
    } else if (!fragment && !mapping.source_ports.empty() &&
               !Holds(mapping.source_ports, place.source_port)) {
      continue;
    }
    if (settling.Add(match)) break;
  }
  return settling.Settle();
}

Fate CellFinder::ByTables(const MetLeaves& leaves, const Place& place, Fault& fault) {
  matches_.clear();
  for (const std::uint64_t leaf : leaves) {
    if (leaf != 0) leaves_.AddMatches(leaf, place, matches_, fault);
  }
  std::stable_sort(matches_.begin(), matches_.end(),
                   [](const Match& a, const Match& b) { return a.slot < b.slot; });
  Settling settling(tables_.shape().default_action == MARCH_ACTION_ALLOW);
  for (const Match& match : matches_) {
    if (settling.Add(match)) break;
  }
  return settling.Settle();
}

}  // namespace march::prove

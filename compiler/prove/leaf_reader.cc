#include "compiler/prove/leaf_reader.h"

#include <algorithm>
#include <string>

namespace march::prove {
namespace {

constexpr std::uint32_t kLastPort = 0xFFFF;
constexpr std::uint32_t kSetNumberBits = MARCH_MAX_SETS - 1;

std::uint32_t Lower(std::uint64_t word) {
  return static_cast<std::uint32_t>(word);
}
std::uint32_t Upper(std::uint64_t word) {
  return static_cast<std::uint32_t>(word >> 32);
}

bool IsTable(std::uint64_t leaf) {
  return MARCH_LEAF_KIND(leaf) == MARCH_LEAF_TABLE;
}
bool IsBySourcePort(std::uint64_t leaf) {
  return IsTable(leaf) && (leaf & MARCH_LEAF_BY_SOURCE_PORT) != 0;
}

// The keys of later fragments lie behind those of whole packets, a protocol at a multiple of 2^16.
std::uint32_t FragmentKey(std::uint32_t key) {
  return MARCH_L4_FRAGMENT | (key >> 16 << 16);
}

// How an interval relates to [first, last]: all of it inside, some, none.
enum class Overlap { kNone, kSome, kAll };
Overlap OverlapOf(const std::vector<space::Interval<std::uint32_t>>& intervals, std::uint32_t first,
                  std::uint32_t last) {
  for (const auto& part : intervals) {
    if (part.first <= first && last <= part.last) return Overlap::kAll;
    if (part.first <= last && first <= part.last) return Overlap::kSome;
  }
  return Overlap::kNone;
}

}  // namespace

LeafReader::LeafReader(const TableReader& tables, space::Family family)
    : tables_(tables), sets_at_(tables.SetsOf(family)) {}

LeafReader::Intervals LeafReader::ReadIntervals(std::uint64_t word, std::uint32_t limit,
                                                Fault& fault) const {
  constexpr std::uint32_t kLastBits = 0x3fffffff;
  std::uint64_t at = 0;
  std::uint64_t count = 1;
  const bool many = (word & MARCH_SET_MANY) != 0;
  if (many) {
    at = Lower(word);
    count = Upper(word) & kLastBits;
    if (count == 0 || count > std::uint64_t{1}
                                  << std::min(tables_.shape().set_depth, uint8_t{31})) {
      fault.Raise("have a set of " + std::to_string(count) + " intervals");
      return {};
    }
  }
  Intervals intervals;
  for (std::uint64_t i = 0; i < count && !fault.raised(); ++i) {
    const std::uint64_t part = many ? tables_.Word(at + i, fault) : word;
    const std::uint32_t first = Lower(part);
    const std::uint32_t last = Upper(part) & kLastBits;
    const bool empty = !many && first > last;
    if (empty) return {};
    if (first > last || last > limit || (i > 0 && intervals.back().last >= first)) {
      fault.Raise("have a set whose intervals are not in order");
    }
    intervals.push_back({first, last});
  }
  return intervals;
}

const LeafReader::Set& LeafReader::SetOf(std::uint64_t rule, Fault& fault) {
  const std::uint32_t number = Upper(rule) & kSetNumberBits;
  const auto [place, is_new] = sets_.try_emplace(number);
  Set& set = place->second;
  if (!is_new) return set;
  const std::uint64_t keys = tables_.Word(sets_at_ + 2 * std::uint64_t{number}, fault);
  const std::uint64_t ports = tables_.Word(sets_at_ + 2 * std::uint64_t{number} + 1, fault);
  set.some = (keys & MARCH_SET_SOME) != 0;
  if (!set.some) set.keys = ReadIntervals(keys, MARCH_L4_FRAGMENT - 1, fault);
  set.source_ports = ReadIntervals(ports, kLastPort, fault);
  set.every_source_port = set.source_ports == Intervals{{0, kLastPort}};
  const Intervals every_key = {{0, MARCH_L4_FRAGMENT - 1}};
  if (number == MARCH_SET_ALL_ID && (set.keys != every_key || !set.every_source_port)) {
    fault.Raise("have a set of all packets that leaves out some");
  }
  if (!set.every_source_port && tables_.shape().source_ports == 0) {
    fault.Raise("ask for source ports, and their shape says that they do not");
  }
  return set;
}

LeafReader::Run LeafReader::RunOf(std::uint64_t leaf, Fault& fault) const {
  const march_shape& shape = tables_.shape();
  if (!IsTable(leaf)) {
    const Run list{Lower(leaf), Upper(leaf) & 0xFF};
    if (list.count > shape.list_max) fault.Raise("have a longer list than their shape says");
    return list;
  }
  const Run run{Lower(leaf), Upper(leaf) & kSetNumberBits};
  const unsigned depth = IsBySourcePort(leaf) ? shape.source_port_depth : shape.table_depth;
  const bool fits =
      depth > 0 && run.count > 0 && run.count <= std::uint64_t{1} << std::min(depth, 31U);
  if (!fits) {
    fault.Raise("have a table of " + std::to_string(run.count) +
                " entries over layer 4 that does not fit their shape");
    return {};
  }
  return run;
}

std::uint64_t LeafReader::LeafBehind(std::uint64_t leaf, std::uint32_t key, Fault& fault) const {
  const Run run = RunOf(leaf, fault);
  std::uint32_t low = 0;
  std::uint32_t high = run.count;
  while (high - low > 1 && !fault.raised()) {
    const std::uint32_t middle = low + (high - low) / 2;
    (Upper(tables_.Word(std::uint64_t{run.at} + middle, fault)) <= key ? low : high) = middle;
  }
  if (fault.raised()) return 0;
  return tables_.Word(Lower(tables_.Word(std::uint64_t{run.at} + low, fault)), fault);
}

template <class Visit>
void LeafReader::ForEachRule(std::uint64_t leaf, Visit&& visit, Fault& fault) {
  if (leaf == 0 || fault.raised()) return;
  if (MARCH_LEAF_KIND(leaf) == MARCH_LEAF_RULE) return visit(leaf);
  if (MARCH_LEAF_KIND(leaf) != MARCH_LEAF_LIST) {
    return fault.Raise("have a leaf where none may be");
  }
  const Run list = RunOf(leaf, fault);
  for (std::uint32_t i = 0; i < list.count && !fault.raised(); ++i) {
    const std::uint64_t rule = tables_.Word(std::uint64_t{list.at} + i, fault);
    if (MARCH_LEAF_KIND(rule) != MARCH_LEAF_RULE) {
      return fault.Raise("have a list of something else than rules");
    }
    visit(rule);
  }
}

void LeafReader::AddKeysOf(std::uint64_t leaf, std::uint32_t from, std::uint32_t to,
                           std::vector<std::uint32_t>& keys, Fault& fault) {
  const auto add = [&](std::uint32_t key) {
    if (from < key && key <= to) keys.push_back(key);
  };
  if (IsTable(leaf)) {
    const Run run = RunOf(leaf, fault);
    for (std::uint32_t i = 0; i < run.count && !fault.raised(); ++i) {
      const std::uint64_t word = tables_.Word(std::uint64_t{run.at} + i, fault);
      const std::uint64_t next = i + 1 < run.count
                                     ? Upper(tables_.Word(std::uint64_t{run.at} + i + 1, fault))
                                     : std::uint64_t{1} << 32;
      if ((i == 0 && Upper(word) != 0) || Upper(word) >= next) {
        fault.Raise("have a table over layer 4 whose keys do not ascend from 0");
      }
      const std::uint64_t behind = tables_.Word(Lower(word), fault);
      if (IsTable(behind) && (IsBySourcePort(leaf) || !IsBySourcePort(behind))) {
        fault.Raise("have a table over layer 4 behind another");
      }
      if (fault.raised()) return;
      if (IsBySourcePort(leaf)) {
        AddKeysOf(behind, from, to, keys, fault);
      } else if (Upper(word) <= to && next > from) {
        add(Upper(word));
        AddKeysOf(behind, std::max(from, Upper(word)),
                  static_cast<std::uint32_t>(std::min<std::uint64_t>(to, next - 1)), keys, fault);
      }
    }
    return;
  }
  ForEachRule(
      leaf,
      [&](std::uint64_t rule) {
        for (const auto& part : SetOf(rule, fault).keys) {
          const std::uint32_t behind = part.last + 1;
          const std::uint32_t edges[] = {part.first, behind};
          for (const std::uint32_t key : edges) {
            add(key);
            // A fragment is compared as all keys of its protocol at once.
            add(FragmentKey(key));
            if ((key & kLastPort) != 0) add(FragmentKey(key) + kLastPort + 1);
          }
        }
      },
      fault);
}

void LeafReader::AddKeys(std::uint64_t leaf, std::vector<std::uint32_t>& keys, Fault& fault) {
  AddKeysOf(leaf, 0, MARCH_L4_KEYS - 1, keys, fault);
}

bool LeafReader::AsksForSourcePorts(std::uint64_t leaf, Fault& fault) {
  if (tables_.shape().source_ports == 0 && tables_.shape().source_port_depth == 0) return false;
  if (IsBySourcePort(leaf)) return true;
  bool asks = false;
  if (IsTable(leaf)) {
    const Run run = RunOf(leaf, fault);
    for (std::uint32_t i = 0; i < run.count && !asks && !fault.raised(); ++i) {
      const std::uint64_t word = tables_.Word(std::uint64_t{run.at} + i, fault);
      const std::uint64_t behind = tables_.Word(Lower(word), fault);
      // Of tables behind tables, AddKeys has raised a fault.
      asks = IsTable(behind) || AsksForSourcePorts(behind, fault);
    }
    return asks;
  }
  ForEachRule(
      leaf, [&](std::uint64_t rule) { asks = asks || !SetOf(rule, fault).every_source_port; },
      fault);
  return asks;
}

void LeafReader::AddSourcePorts(std::uint64_t leaf, std::uint32_t key,
                                std::vector<std::uint32_t>& ports, Fault& fault) {
  if (IsTable(leaf) && !IsBySourcePort(leaf)) leaf = LeafBehind(leaf, key, fault);
  if (fault.raised()) return;
  if (IsBySourcePort(leaf)) {
    const Run run = RunOf(leaf, fault);
    for (std::uint32_t i = 0; i < run.count && !fault.raised(); ++i) {
      const std::uint64_t word = tables_.Word(std::uint64_t{run.at} + i, fault);
      ports.push_back(Upper(word));
      AddSourcePorts(tables_.Word(Lower(word), fault), key, ports, fault);
    }
    return;
  }
  ForEachRule(
      leaf,
      [&](std::uint64_t rule) {
        for (const auto& part : SetOf(rule, fault).source_ports) {
          ports.push_back(part.first);
          ports.push_back(part.last + 1);
        }
      },
      fault);
}

void LeafReader::AddMatch(std::uint64_t rule, const Place& place, std::vector<Match>& matches,
                          Fault& fault) {
  constexpr std::uint32_t kKnownBits = MARCH_ACTION_ALLOW | MARCH_VERDICT_AUDITED;
  const Set& set = SetOf(rule, fault);
  const std::uint32_t verdict = Lower(rule);
  const bool fragment = (place.key & MARCH_L4_FRAGMENT) != 0;
  const std::uint32_t first = place.key & ~MARCH_L4_FRAGMENT;
  Overlap overlap = Overlap::kNone;
  if (set.some) {
    overlap = fragment ? Overlap::kSome : Overlap::kNone;
  } else {
    overlap = OverlapOf(set.keys, first, fragment ? first | kLastPort : first);
  }
  if (!set.every_source_port) {
    const std::uint32_t port = fragment ? 0 : place.source_port;
    overlap = std::min(overlap,
                       OverlapOf(set.source_ports, port, fragment ? kLastPort : place.source_port));
  }
  if (overlap == Overlap::kNone) return;
  Match match;
  match.slot = MARCH_VERDICT_SLOT(verdict);
  match.allow = (verdict & MARCH_ACTION_ALLOW) != 0;
  match.audit = (verdict & MARCH_VERDICT_AUDITED) != 0;
  match.certain = overlap == Overlap::kAll;
  if ((MARCH_VERDICT_ACTION(verdict) & ~kKnownBits) != 0 ||
      (match.audit && tables_.shape().audits == 0)) {
    fault.Raise("have a verdict that does not fit their shape");
  }
  matches.push_back(match);
}

void LeafReader::AddMatches(std::uint64_t leaf, const Place& place, std::vector<Match>& matches,
                            Fault& fault) {
  if (IsTable(leaf) && !IsBySourcePort(leaf)) leaf = LeafBehind(leaf, place.key, fault);
  if (!fault.raised() && IsBySourcePort(leaf)) leaf = LeafBehind(leaf, place.source_port, fault);
  ForEachRule(leaf, [&](std::uint64_t rule) { AddMatch(rule, place, matches, fault); }, fault);
}

}  // namespace march::prove

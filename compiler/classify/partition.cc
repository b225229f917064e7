#include "compiler/classify/partition.h"

#include <algorithm>
#include <cstddef>
#include <string_view>
#include <unordered_map>

#include "bundle/sha256.h"

namespace march::classify {
namespace {

using space::Uint128;

// Which sets hold a value, as a sum of one random number a set: it changes by one addition where an
// interval starts or ends, however many sets hold the place. The numbers come from a digest of all
// that is cut, so nobody can choose sets whose sums meet; by chance they do with 2^-128 a pair.
struct Signature {
  std::uint64_t high = 0;
  std::uint64_t low = 0;

  friend bool operator==(const Signature&, const Signature&) = default;
};

struct HashSignature {
  std::size_t operator()(const Signature& s) const { return s.low; }
};

// SplitMix64 (Steele, Lea, Flood, 2014).
std::uint64_t Mix(std::uint64_t x) {
  x += 0x9E3779B97F4A7C15;
  x = (x ^ (x >> 30)) * 0xBF58476D1CE4E5B9;
  x = (x ^ (x >> 27)) * 0x94D049BB133111EB;
  return x ^ (x >> 31);
}

struct Event {
  Uint128 at = 0;
  std::uint32_t set = 0;
  bool enters = false;
};

Signature SeedOf(const std::vector<const AddressInterval*>& sets) {
  bundle::Sha256 digest;
  for (std::size_t i = 0; i < sets.size(); ++i) {
    if (sets[i] == nullptr) continue;
    const auto& parts = sets[i]->intervals();
    const std::size_t count = parts.size();
    digest.Update({reinterpret_cast<const char*>(&count), sizeof(count)});
    digest.Update({reinterpret_cast<const char*>(parts.data()), count * sizeof(parts[0])});
  }
  const std::string hex = digest.Hex();
  const auto word = [&](std::size_t at) { return std::stoull(hex.substr(at, 16), nullptr, 16); };
  return {word(0), word(16)};
}

std::vector<Event> EventsOf(const std::vector<const AddressInterval*>& sets, Uint128 last) {
  std::vector<Event> events;
  for (std::uint32_t set = 0; set < sets.size(); ++set) {
    if (sets[set] == nullptr) continue;
    for (const auto& part : sets[set]->intervals()) {
      events.push_back({part.first, set, true});
      if (part.last != last) events.push_back({part.last + 1, set, false});
    }
  }
  // What ends comes before what starts at the same place.
  std::sort(events.begin(), events.end(), [](const Event& a, const Event& b) {
    return a.at != b.at ? a.at < b.at : a.enters < b.enters;
  });
  return events;
}

}  // namespace

Partition CutIntoClasses(const std::vector<const AddressInterval*>& sets, Uint128 last) {
  const Signature seed = SeedOf(sets);
  const std::vector<Event> events = EventsOf(sets, last);
  Partition result;
  result.ranges.resize(sets.size());
  std::unordered_map<Signature, std::uint32_t, HashSignature> known;
  std::vector<std::uint32_t> entered(sets.size(), 0);  // the classes there were then
  std::vector<bool> inside(sets.size(), false);
  Signature sum;
  const auto leave = [&](std::uint32_t set) {
    if (entered[set] == result.classes) return;  // all met before
    auto& ranges = result.ranges[set];
    if (!ranges.empty() && ranges.back().last + 1 == entered[set]) {
      ranges.back().last = result.classes - 1;
    } else {
      ranges.push_back({entered[set], result.classes - 1});
    }
  };
  const auto start = [&](Uint128 at) {
    const auto [place, is_new] = known.try_emplace(sum, result.classes);
    if (is_new) ++result.classes;
    if (result.segments.empty() || result.segments.back().class_id != place->second) {
      result.segments.push_back({at, place->second});
    }
  };
  if (events.empty() || events.front().at != 0) start(0);
  for (std::size_t i = 0; i < events.size();) {
    const Uint128 at = events[i].at;
    for (; i < events.size() && events[i].at == at; ++i) {
      const std::uint32_t set = events[i].set;
      const std::uint64_t high = Mix(seed.high + set);
      const std::uint64_t low = Mix(seed.low ^ high);
      if (events[i].enters) {
        sum = {sum.high + high, sum.low + low};
        entered[set] = result.classes;
      } else {
        sum = {sum.high - high, sum.low - low};
        leave(set);
      }
      inside[set] = events[i].enters;
    }
    start(at);
  }
  for (std::uint32_t set = 0; set < sets.size(); ++set) {
    if (inside[set]) leave(set);
  }
  return result;
}

std::vector<std::uint32_t> Coarsen(const Partition& fine, const Partition& coarse) {
  std::vector<std::uint32_t> result(fine.classes, 0);
  std::size_t at = 0;
  for (const Segment& segment : fine.segments) {
    while (at + 1 < coarse.segments.size() && coarse.segments[at + 1].start <= segment.start) ++at;
    result[segment.class_id] = coarse.segments[at].class_id;
  }
  return result;
}

std::uint32_t CountClasses(const std::vector<ClassRange>& ranges) {
  std::uint32_t count = 0;
  for (const ClassRange& range : ranges) count += range.last - range.first + 1;
  return count;
}

}  // namespace march::classify

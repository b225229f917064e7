#include "compiler/classify/fields.h"

#include <algorithm>

namespace march::classify {
namespace {

using Words = std::vector<std::uint64_t>;

constexpr std::uint32_t kRootBits = 16;
constexpr std::uint32_t kRootSize = 1U << kRootBits;

// A split run under construction: keys, then payloads.
struct SplitRun {
  Words keys;
  Words payloads;

  void Add(std::uint64_t key, std::uint64_t payload) {
    // A plain class that goes on needs no second entry; a nested run holds for its own key only.
    if (!payloads.empty() && payloads.back() == payload && (payload & MARCH_PAYLOAD_RUN) == 0) {
      return;
    }
    keys.push_back(key);
    payloads.push_back(payload);
  }

  Words Joined() const {
    Words words = keys;
    words.insert(words.end(), payloads.begin(), payloads.end());
    return words;
  }
};

std::uint64_t High(space::Uint128 value) {
  return static_cast<std::uint64_t>(value >> 64);
}
std::uint64_t Low(space::Uint128 value) {
  return static_cast<std::uint64_t>(value);
}

}  // namespace

march_find4 LayOut4(const Classes& classes, Runs& runs) {
  const auto& segments = classes.segments;
  march_find4 find{};
  const auto key_of = [&](std::size_t i) { return static_cast<std::uint32_t>(segments[i].start); };
  if (segments.size() < kRootSegments) {
    Words run;
    for (std::size_t i = 0; i < segments.size(); ++i) {
      run.push_back(PackedEntry(key_of(i), segments[i].class_id));
    }
    find.depth = DepthOf(run.size());
    find.root = runs.Append({runs.SharePacked(run)});
    return find;
  }
  Words root;
  root.reserve(kRootSize);
  std::size_t next = 0;  // the first segment that starts behind the start of the slot
  Words run;
  for (std::uint32_t slot = 0; slot < kRootSize; ++slot) {
    while (next < segments.size() && key_of(next) <= slot << (32 - kRootBits)) ++next;
    run.assign({PackedEntry(0, segments[next - 1].class_id)});
    for (; next < segments.size() && key_of(next) >> (32 - kRootBits) == slot; ++next) {
      run.push_back(PackedEntry(key_of(next), segments[next].class_id));
    }
    find.depth = std::max(find.depth, DepthOf(run.size()));
    root.push_back(runs.SharePacked(run));
  }
  find.root_bits = kRootBits;
  find.root = runs.Append(root);
  return find;
}

march_find6 LayOut6(const Classes& classes, Runs& runs) {
  const auto& segments = classes.segments;
  march_find6 find{};
  SplitRun upper;
  for (std::size_t i = 0; i < segments.size();) {
    const std::uint64_t high = High(segments[i].start);
    // What holds at the start of this upper half.
    const std::uint32_t entering =
        Low(segments[i].start) == 0 ? segments[i].class_id : segments[i - 1].class_id;
    SplitRun lower;
    lower.Add(0, entering);
    for (; i < segments.size() && High(segments[i].start) == high; ++i) {
      lower.Add(Low(segments[i].start), segments[i].class_id);
    }
    if (lower.keys.size() == 1) {
      upper.Add(high, entering);
      continue;
    }
    const std::uint64_t base = runs.Share(lower.Joined());
    upper.Add(high, MARCH_PAYLOAD_RUN | std::uint64_t{lower.keys.size()} << 32 | base);
    find.low_depth = std::max(find.low_depth, DepthOf(lower.keys.size()));
    const bool next_starts_there =
        i < segments.size() && segments[i].start == space::Uint128{high + 1} << 64;
    if (high != ~std::uint64_t{0} && !next_starts_there) {
      upper.Add(high + 1, segments[i - 1].class_id);
    }
  }
  find.base = runs.Append(upper.Joined());
  find.count = static_cast<std::uint32_t>(upper.keys.size());
  find.depth = DepthOf(find.count);
  return find;
}

}  // namespace march::classify

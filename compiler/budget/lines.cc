#include "compiler/budget/lines.h"

#include <algorithm>
#include <unordered_set>
#include <vector>

#include "compiler/budget/counting_walk.h"

namespace march::budget {
namespace {

using space::Family;
using space::Uint128;

constexpr std::uint32_t kTcp = 6;
constexpr std::uint32_t kPairPort = 443;
constexpr std::uint32_t kPairSourcePort = 40000;

// Counts packets of one family.
class Counter {
 public:
  Counter(Family family, const classify::Tables& tables) : family_(family), tables_(tables) {}

  void Add(Uint128 source, Uint128 destination, std::uint32_t l4, std::uint32_t source_port) {
    march_key key{};
    key.src_hi = static_cast<std::uint64_t>(source >> 64);
    key.src_lo = static_cast<std::uint64_t>(source);
    key.dst_hi = static_cast<std::uint64_t>(destination >> 64);
    key.dst_lo = static_cast<std::uint64_t>(destination);
    key.l4 = l4;
    key.source_port = source_port;
    key.family = static_cast<std::uint32_t>(family_);
    std::uint32_t audit = 0;
    std::uint32_t lines =
        march_count_lines(tables_.words.data(), tables_.words.size(), &key, &audit);
    lines += audit != 0 ? 2 : 1;  // counters
    ++reads_.packets;
    sum_ += lines;
    reads_.most = std::max(reads_.most, lines);
  }

  Reads Result() const {
    Reads reads = reads_;
    if (reads.packets != 0) {
      reads.mean = static_cast<double>(sum_) / static_cast<double>(reads.packets);
    }
    return reads;
  }

 private:
  Family family_;
  const classify::Tables& tables_;
  Reads reads_;
  std::uint64_t sum_ = 0;
};

// Calls `visit` for every rule that matches something of the family.
template <class Visit>
void ForEachRule(const ruleset::RuleSet& rules, Family family, Visit&& visit) {
  for (const auto* some : {&rules.rules, &rules.audits}) {
    for (const ruleset::Rule& rule : *some) {
      if (rule.source->In(family).empty() || rule.destination->In(family).empty() ||
          rule.l4.empty() || rule.source_ports.empty()) {
        continue;
      }
      visit(rule);
    }
  }
}

Reads OverMappings(Family family, const ruleset::RuleSet& rules, const classify::Tables& tables) {
  Counter counter(family, tables);
  ForEachRule(rules, family, [&](const ruleset::Rule& rule) {
    counter.Add(rule.source->In(family).intervals()[0].first,
                rule.destination->In(family).intervals()[0].first, rule.l4.intervals()[0].first,
                rule.source_ports.intervals()[0].first);
  });
  return counter.Result();
}

// The first and the last address of every interval, ascending.
class Edges {
 public:
  explicit Edges(Family family) : last_(space::LastOf(family)), edges_{0, last_} {}

  void Add(const space::IntervalSet<Uint128>& set) {
    if (!known_.insert(&set).second) return;
    for (const auto& part : set.intervals()) {
      edges_.push_back(part.first);
      if (part.first != 0) edges_.push_back(part.first - 1);
      edges_.push_back(part.last);
      if (part.last != last_) edges_.push_back(part.last + 1);
    }
  }
  std::vector<Uint128> Take() && {
    std::sort(edges_.begin(), edges_.end());
    edges_.erase(std::unique(edges_.begin(), edges_.end()), edges_.end());
    return std::move(edges_);
  }

 private:
  Uint128 last_;
  std::vector<Uint128> edges_;
  std::unordered_set<const void*> known_;
};

}  // namespace

std::uint32_t MostLines(Family family, const march_shape& shape) {
  const march_family_shape& bounds = family == Family::kV4 ? shape.v4 : shape.v6;
  constexpr std::uint32_t kFamily = 1;
  constexpr std::uint32_t kCounter = 1;
  const std::uint32_t around = kFamily + kCounter + (shape.audits != 0 ? 1 : 0);
  if (bounds.views == 0) return around;
  // A root word, a cell, if there are any, and a line a step; or, for IPv6, a line a step and,
  // where it divides evenly, a cell.
  const std::uint32_t search = family == Family::kV4 ? (bounds.direct != 0 ? 1U : 2U) + bounds.depth
                                                     : 2U * (bounds.depth + bounds.low_depth);
  std::uint32_t meet = 0;
  std::uint32_t leaves = 0;
  const bool by_source = (bounds.views & MARCH_VIEW_SOURCE) != 0;
  const bool by_destination = (bounds.views & MARCH_VIEW_DESTINATION) != 0;
  const bool has_matrix = (bounds.views & MARCH_VIEW_MATRIX) != 0;
  if (by_source || by_destination) {
    // The record's number, the record, and its tail.
    meet += 2U + bounds.source_tail;
    if (by_destination || has_matrix) meet += 2U + bounds.destination_tail;
    // The pair, and its leaf where that is elsewhere.
    if ((bounds.views & MARCH_VIEW_PAIRS) != 0) meet += 2;
  }
  if (has_matrix) ++meet;
  leaves = (by_source ? 1U : 0U) + (by_destination ? 1U : 0U) + (has_matrix ? 1U : 0U);

  // A set of ports: its two words, and what is searched where they lead.
  const std::uint32_t many = shape.set_depth == 0 ? 0 : shape.set_depth + 1U;
  const std::uint32_t set = 1 + many * (shape.source_ports != 0 ? 2 : 1);
  std::uint32_t leaf = set;
  if (shape.list_max != 0) {
    // So many words, wherever they begin in a line.
    leaf = shape.list_max * set + 1 + (shape.list_max + MARCH_LINE_WORDS - 2U) / MARCH_LINE_WORDS;
  }
  // The halvings, the word they end at, and the leaf that it leads to.
  if (shape.table_depth != 0) leaf += shape.table_depth + 2U;
  if (shape.source_port_depth != 0) leaf += shape.source_port_depth + 2U;
  return around + 2 * search + meet + leaves * leaf;
}

LineCount CountLines(Family family, const ruleset::RuleSet& rules, const classify::Tables& tables) {
  LineCount count;
  count.bound = MostLines(family, tables.shape);
  count.mappings = OverMappings(family, rules, tables);
  Edges from(family);
  Edges to(family);
  ForEachRule(rules, family, [&](const ruleset::Rule& rule) {
    from.Add(rule.source->In(family));
    to.Add(rule.destination->In(family));
  });
  const std::vector<Uint128> sources = std::move(from).Take();
  const std::vector<Uint128> destinations = std::move(to).Take();
  count.all_pairs = std::uint64_t{sources.size()} * destinations.size();
  const std::uint64_t pairs = std::min(count.all_pairs, kMostPairs);
  Counter counter(family, tables);
  for (std::uint64_t i = 0; i < pairs; ++i) {
    // The middle of the i-th of equal parts, without a product beyond 64 bits.
    const auto pair =
        static_cast<std::uint64_t>((Uint128{2 * i + 1} * count.all_pairs) / (Uint128{2} * pairs));
    counter.Add(sources[pair / destinations.size()], destinations[pair % destinations.size()],
                MARCH_L4_KEY(kTcp, kPairPort), kPairSourcePort);
  }
  count.pairs = counter.Result();
  return count;
}

}  // namespace march::budget

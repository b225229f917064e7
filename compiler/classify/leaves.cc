#include "compiler/classify/leaves.h"

#include <algorithm>
#include <limits>
#include <optional>
#include <utility>

#include "bundle/abi/tables.h"
#include "bundle/abi/verdict.h"

namespace march::classify {
namespace {

constexpr std::uint64_t kNotMade = std::numeric_limits<std::uint64_t>::max();
constexpr std::uint32_t kUnknown = std::numeric_limits<std::uint32_t>::max();

const ruleset::L4Set& EveryL4() {
  static const ruleset::L4Set every({{0, MARCH_L4_FRAGMENT - 1}});
  return every;
}
const space::IntervalSet<std::uint16_t>& EveryPort() {
  static const space::IntervalSet<std::uint16_t> every({{0, 0xFFFF}});
  return every;
}

// FNV-1a over numbers.
class Hasher {
 public:
  void Add(std::uint64_t value) { hash_ = (hash_ ^ value) * 0x100000001B3; }
  std::size_t hash() const { return hash_ ^ (hash_ >> 32); }

 private:
  std::uint64_t hash_ = 0xCBF29CE484222325;
};

std::uint64_t LeafWord(std::uint32_t kind, std::size_t count, std::uint32_t at) {
  return std::uint64_t{kind} << 62 | std::uint64_t{count} << 32 | at;
}

template <class T>
std::uint64_t IntervalWord(const space::Interval<T>& part) {
  return Pack(part.last, part.first);
}

}  // namespace

std::size_t HashIds::operator()(const RuleIds& ids) const {
  Hasher hasher;
  for (const std::uint32_t id : ids) hasher.Add(id);
  return hasher.hash();
}

std::size_t Leaves::HashSet::operator()(const Set& set) const {
  Hasher hasher;
  for (const auto& part : set.l4.intervals()) hasher.Add(IntervalWord(part));
  for (const auto& part : set.ports.intervals()) hasher.Add(IntervalWord(part));
  return hasher.hash();
}

std::uint32_t VerdictOf(const ruleset::Rule& rule, std::uint32_t id) {
  const std::uint32_t action =
      rule.action == model::Action::kAllow ? MARCH_ACTION_ALLOW : MARCH_ACTION_DENY;
  return MARCH_VERDICT(action | (rule.audit ? MARCH_VERDICT_AUDITED : 0),
                       MARCH_SLOT_FIRST_MAPPING + id);
}

Leaves::Leaves(const OrderedRules& rules, std::uint32_t first_word, std::uint64_t max_words)
    : rules_(rules),
      first_word_(first_word),
      max_words_(max_words),
      ports_only_(rules.size(), kUnknown) {
  SetId({EveryL4(), EveryPort()});
  SetId({});  // stands for MARCH_SET_SOME
  set_of_.reserve(rules.size());
  for (const ruleset::Rule* rule : rules) set_of_.push_back(SetId({rule->l4, rule->source_ports}));
  Intern({});
}

bool Leaves::Spend(std::size_t rules) {
  spent_ += rules;
  return !exhausted();
}

std::vector<std::pair<std::uint32_t, std::uint64_t>> Leaves::MostListed(std::size_t count) const {
  std::vector<std::pair<std::uint32_t, std::uint64_t>> listed(rules_.size());
  for (std::uint32_t id = 0; id < listed.size(); ++id) listed[id].first = id;
  for (const RuleIds* const ids : lists_) {
    for (const std::uint32_t id : *ids) ++listed[id].second;
  }
  const auto end = listed.begin() + static_cast<std::ptrdiff_t>(std::min(count, listed.size()));
  std::partial_sort(listed.begin(), end, listed.end(), [](const auto& a, const auto& b) {
    return a.second != b.second ? a.second > b.second : a.first < b.first;
  });
  listed.erase(end, listed.end());
  return listed;
}

std::uint32_t Leaves::SetId(const Set& set) {
  const auto [place, is_new] = set_ids_.try_emplace(set, static_cast<std::uint32_t>(sets_.size()));
  if (is_new) sets_.push_back(set);
  return place->second;
}

std::uint32_t Leaves::PortsOnly(std::uint32_t id) {
  std::uint32_t& set = ports_only_[id];
  if (set == kUnknown) set = SetId({EveryL4(), rules_[id]->source_ports});
  return set;
}

bool Leaves::Ends(std::uint32_t id) const {
  return set_of_[id] == MARCH_SET_ALL_ID && !rules_[id]->audit;
}

Leaves::ListId Leaves::Intern(RuleIds ids) {
  if (!Spend(ids.size())) return kNothing;
  const auto last = std::find_if(ids.begin(), ids.end(), [&](auto id) { return Ends(id); });
  if (last != ids.end()) ids.erase(last + 1, ids.end());
  const auto [place, is_new] =
      list_ids_.try_emplace(std::move(ids), static_cast<ListId>(lists_.size()));
  if (is_new) {
    lists_.push_back(&place->first);
    leaf_of_.push_back(kNotMade);
  }
  return place->second;
}

Leaves::ListId Leaves::Merge(ListId a, ListId b) {
  if (a == b || b == kNothing) return a;
  if (a == kNothing) return b;
  if (!Spend(IdsOf(a).size() + IdsOf(b).size())) return kNothing;
  RuleIds both;
  std::set_union(IdsOf(a).begin(), IdsOf(a).end(), IdsOf(b).begin(), IdsOf(b).end(),
                 std::back_inserter(both));
  return Intern(std::move(both));
}

std::uint64_t Leaves::RuleWord(std::uint32_t id, std::uint32_t set) const {
  return LeafWord(MARCH_LEAF_RULE, set, VerdictOf(*rules_[id], id));
}

std::uint32_t Leaves::Share(const Words& block) {
  const auto [place, is_new] =
      shared_.try_emplace(block, first_word_ + static_cast<std::uint32_t>(words_.size()));
  if (is_new) words_.insert(words_.end(), block.begin(), block.end());
  return place->second;
}

std::uint64_t Leaves::LeafOf(const Words& rules) {
  if (rules.empty()) return 0;
  if (rules.size() == 1) return rules[0];
  longest_list_ = std::max(longest_list_, rules.size());
  return LeafWord(MARCH_LEAF_LIST, rules.size(), Share(rules));
}

std::uint64_t Leaves::WordOf(ListId list) {
  if (leaf_of_[list] != kNotMade) return leaf_of_[list];
  const RuleIds& ids = IdsOf(list);
  if (ids.size() > Longest().size()) longest_ = list;
  std::uint64_t leaf = 0;
  if (ids.size() <= MARCH_LIST_MAX) {
    Words rules;
    for (const std::uint32_t id : ids) rules.push_back(RuleWord(id, set_of_[id]));
    leaf = LeafOf(rules);
  } else {
    leaf = TableOf(ids);
  }
  leaf_of_[list] = leaf;
  return leaf;
}

// Of the rules that match a packet's destination port, those that matter: up to the first that
// decides whatever the source port.
std::uint64_t Leaves::LeafOfStretch(const std::set<std::uint32_t>& active) {
  RuleIds ids;
  bool audited = false;
  for (const std::uint32_t id : active) {
    if (!Spend(1)) return 0;
    const bool any_port = PortsOnly(id) == MARCH_SET_ALL_ID;
    const bool audit = rules_[id]->audit;
    // Of audits, the first counts.
    if (audit && audited) continue;
    ids.push_back(id);
    if (any_port && !audit) break;
    audited = audited || (any_port && audit);
  }
  if (ids.size() > MARCH_LIST_MAX) return SourcePortTableOf(ids);
  Words rules;
  for (const std::uint32_t id : ids) rules.push_back(RuleWord(id, PortsOnly(id)));
  return LeafOf(rules);
}

std::uint64_t Leaves::SourcePortTableOf(const RuleIds& ids) {
  Sweep<std::uint32_t> sweep(0xFFFF);
  for (const std::uint32_t id : ids) {
    for (const auto& part : rules_[id]->source_ports.intervals()) {
      sweep.Add(id, part.first, part.last);
    }
  }
  Words run;
  std::uint64_t before = kNotMade;
  sweep.Run([&](std::uint32_t first, std::uint32_t, const std::set<std::uint32_t>& active) {
    Words rules;
    bool audited = false;
    for (const std::uint32_t id : active) {
      if (!Spend(1)) return;
      const bool audit = rules_[id]->audit;
      if (audit && audited) continue;
      rules.push_back(RuleWord(id, MARCH_SET_ALL_ID));
      if (!audit) break;
      audited = true;
    }
    const std::uint64_t leaf = LeafOf(rules);
    if (leaf == before) return;
    before = leaf;
    run.push_back(Pack(first, Share({leaf})));
  });
  source_port_depth_ = std::max(source_port_depth_, std::max<std::uint8_t>(DepthOf(run.size()), 1));
  return LeafWord(MARCH_LEAF_TABLE, run.size(), Share(run)) | MARCH_LEAF_BY_SOURCE_PORT;
}

// What the walker would find in the whole list for a later fragment of `protocol`, in the fewest
// words: the first that may match, the first that may and denies, the first that certainly does.
std::uint64_t Leaves::LeafOfFragments(const RuleIds& ids, std::uint32_t protocol) {
  const std::uint32_t first = MARCH_L4_KEY(protocol, 0U);
  const std::uint32_t last = MARCH_L4_KEY(protocol, 0xFFFFU);
  Words rules;
  bool any = false;
  bool denied = false;
  bool audited = false;
  for (const std::uint32_t id : ids) {
    if (!Spend(1)) return 0;
    const ruleset::Rule& rule = *rules_[id];
    const auto& parts = rule.l4.intervals();
    const auto part = std::lower_bound(parts.begin(), parts.end(), first,
                                       [](const auto& p, auto key) { return p.last < key; });
    if (part == parts.end() || part->first > last || rule.source_ports.empty()) continue;
    const bool certain =
        part->first <= first && part->last >= last && rule.source_ports == EveryPort();
    const std::uint64_t word = RuleWord(id, certain ? MARCH_SET_ALL_ID : MARCH_SET_SOME_ID);
    if (rule.audit) {
      if (!audited && !any) rules.push_back(word);
      audited = true;
      continue;
    }
    const bool denies = rule.action != model::Action::kAllow;
    if (!any || certain || (denies && !denied)) rules.push_back(word);
    any = true;
    denied = denied || denies;
    if (certain) break;
  }
  return LeafOf(rules);
}

std::uint64_t Leaves::TableOf(const RuleIds& ids) {
  ++tables_;
  Sweep<std::uint32_t> sweep(MARCH_L4_FRAGMENT - 1);
  std::set<std::uint32_t> protocols = {0};  // where what fragments meet may change
  for (const std::uint32_t id : ids) {
    for (const auto& part : rules_[id]->l4.intervals()) {
      sweep.Add(id, part.first, part.last);
      protocols.insert(
          {part.first >> 16, (part.first >> 16) + 1, part.last >> 16, (part.last >> 16) + 1});
    }
  }
  Words run;
  std::uint64_t before = kNotMade;
  const auto add = [&](std::uint32_t key, std::uint64_t leaf) {
    if (leaf == before) return;
    before = leaf;
    run.push_back(Pack(key, Share({leaf})));
  };
  sweep.Run([&](std::uint32_t first, std::uint32_t, const std::set<std::uint32_t>& active) {
    add(first, LeafOfStretch(active));
  });
  for (const std::uint32_t protocol : protocols) {
    if (protocol > 0xFF) continue;
    add(MARCH_L4_FRAGMENT | MARCH_L4_KEY(protocol, 0U), LeafOfFragments(ids, protocol));
  }
  table_depth_ = std::max(table_depth_, std::max<std::uint8_t>(DepthOf(run.size()), 1));
  return LeafWord(MARCH_LEAF_TABLE, run.size(), Share(run));
}

Words Leaves::SetWords(std::uint32_t first_word) const {
  Words words;
  Words runs;
  const auto behind = static_cast<std::uint32_t>(first_word + 2 * sets_.size());
  const auto add = [&](const auto& set) {
    const auto& parts = set.intervals();
    if (parts.size() == 1) {
      words.push_back(IntervalWord(parts[0]));
      return;
    }
    if (parts.empty()) {
      words.push_back(Pack(0, 1));  // from 1 to 0
      return;
    }
    words.push_back(MARCH_SET_MANY | Pack(static_cast<std::uint32_t>(parts.size()),
                                          behind + static_cast<std::uint32_t>(runs.size())));
    for (const auto& part : parts) runs.push_back(IntervalWord(part));
  };
  for (const Set& set : sets_) {
    add(set.l4);
    add(set.ports);
  }
  words[2 * MARCH_SET_SOME_ID] |= MARCH_SET_SOME;
  words[2 * MARCH_SET_SOME_ID + 1] = words[2 * MARCH_SET_ALL_ID + 1];
  words.insert(words.end(), runs.begin(), runs.end());
  return words;
}

void Leaves::Describe(march_shape& shape) const {
  shape.list_max = static_cast<std::uint8_t>(longest_list_);
  shape.table_depth = table_depth_;
  shape.source_port_depth = source_port_depth_;
  for (const Set& set : sets_) {
    shape.set_depth = std::max({shape.set_depth, DepthOf(set.l4.intervals().size()),
                                DepthOf(set.ports.intervals().size())});
    if (&set != &sets_[MARCH_SET_SOME_ID] && set.ports != EveryPort()) shape.source_ports = 1;
  }
  shape.audits = std::any_of(rules_.begin(), rules_.end(), [](const auto* r) { return r->audit; });
}

}  // namespace march::classify

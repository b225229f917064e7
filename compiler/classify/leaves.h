// What decides where classes meet: lists of rules as leaf words (bundle/abi/tables.h).
#pragma once

#include <cstdint>
#include <map>
#include <unordered_map>
#include <utility>
#include <vector>

#include "compiler/classify/lines.h"
#include "compiler/classify/sweep.h"
#include "compiler/ruleset/ruleset.h"

namespace march::classify {

// A rule in the order in which all of them decide, those under audit among them.
using OrderedRules = std::vector<const ruleset::Rule*>;

struct HashIds {
  std::size_t operator()(const RuleIds& ids) const;
};

// Makes leaf words. Rules go by their number in order of precedence, and a list of them exists
// once.
class Leaves {
 public:
  using ListId = std::uint32_t;
  static constexpr ListId kNothing = 0;

  // `rules` must outlive this. Words of lists and tables are numbered from `first_word` on; there
  // are at most `max_words`.
  Leaves(const OrderedRules& rules, std::uint32_t first_word, std::uint64_t max_words);

  // Where many rules overlap, each place has a long list of its own, and all of them together grow
  // with the square of the rules. So there is a limit to the rules looked at: whoever goes through
  // a list says so. False behind the limit; from then on nothing more is made.
  bool Spend(std::size_t rules);
  bool exhausted() const { return spent_ > kMostSpent || words_.size() > max_words_; }
  // When exhausted: the rules that are in most lists, with how many; at most `count`.
  std::vector<std::pair<std::uint32_t, std::uint64_t>> MostListed(std::size_t count) const;

  // The list of these rules, in order of precedence, without those that can never decide: the ones
  // behind a rule that matches every port.
  ListId Intern(RuleIds ids);
  const RuleIds& IdsOf(ListId list) const { return *lists_[list]; }
  ListId Merge(ListId a, ListId b);

  // Whether the rule matches whatever the ports, and decides.
  bool Ends(std::uint32_t id) const;

  // The leaf; 0 for kNothing.
  std::uint64_t WordOf(ListId list);

  // Words so far, and the sets, both in the form of the tables.
  const Words& words() const { return words_; }
  Words SetWords(std::uint32_t first_word) const;
  std::size_t sets() const { return sets_.size(); }
  std::size_t tables() const { return tables_; }
  // The longest list that became a leaf.
  const RuleIds& Longest() const { return IdsOf(longest_); }

  // Into the bounds of march_shape.
  void Describe(march_shape& shape) const;

 private:
  struct Set {
    ruleset::L4Set l4;
    space::IntervalSet<std::uint16_t> ports;

    friend bool operator==(const Set&, const Set&) = default;
  };
  struct HashSet {
    std::size_t operator()(const Set& set) const;
  };

  std::uint32_t SetId(const Set& set);
  std::uint32_t PortsOnly(std::uint32_t id);
  std::uint64_t RuleWord(std::uint32_t id, std::uint32_t set) const;
  // Of RULE words.
  std::uint64_t LeafOf(const Words& rules);
  std::uint64_t TableOf(const RuleIds& ids);
  std::uint64_t LeafOfStretch(const std::set<std::uint32_t>& active);
  std::uint64_t SourcePortTableOf(const RuleIds& ids);
  std::uint64_t LeafOfFragments(const RuleIds& ids, std::uint32_t protocol);
  // The number of the first word of a copy of `block`, which exists once.
  std::uint32_t Share(const Words& block);

  static constexpr std::uint64_t kMostSpent = std::uint64_t{1} << 25;

  const OrderedRules& rules_;
  std::uint32_t first_word_;
  std::uint64_t max_words_;
  std::uint64_t spent_ = 0;
  std::vector<std::uint32_t> set_of_;      // by rule
  std::vector<std::uint32_t> ports_only_;  // by rule: its source ports alone; kUnknown at first
  std::vector<Set> sets_;
  std::unordered_map<Set, std::uint32_t, HashSet> set_ids_;
  std::unordered_map<RuleIds, ListId, HashIds> list_ids_;
  std::vector<const RuleIds*> lists_;   // keys of list_ids_
  std::vector<std::uint64_t> leaf_of_;  // by list; kNotMade at first
  Words words_;
  std::map<Words, std::uint32_t> shared_;
  ListId longest_ = kNothing;
  std::size_t tables_ = 0;
  std::size_t longest_list_ = 0;
  std::uint8_t table_depth_ = 0;
  std::uint8_t source_port_depth_ = 0;
};

// The verdict word of a rule with this number.
std::uint32_t VerdictOf(const ruleset::Rule& rule, std::uint32_t id);

}  // namespace march::classify

// Lint against brute force: thousands of random small policies, every packet of a small universe,
// findings derived by trying, with the model engine, and compared name by name.
#include <algorithm>
#include <catch2/catch.hpp>
#include <functional>
#include <map>
#include <set>
#include <string>
#include <tuple>

#include "base/print.h"
#include "compiler/lint/lint.h"
#include "compiler/prove/engine.h"
#include "compiler/ruleset/ambiguity.h"
#include "compiler/space/protocol.h"
#include "tests/course.h"
#include "tests/random/random.h"
#include "tests/random/small_policy.h"

namespace march {
namespace {

using model::Action;
using space::Family;
using space::Flow;
using tests::Random;

// A code and the names of what it is about.
using Finding = std::pair<Code, std::vector<std::string>>;
using Findings = std::multiset<Finding>;

class Oracle {
 public:
  Oracle(const model::Policy& policy, const std::vector<Flow>& universe)
      : policy_(policy), universe_(universe) {
    prove::ModelEngine engine(policy);
    for (const Flow& flow : universe) matching_.push_back(engine.Matching(flow));
  }

  Findings Find() {
    Reach();
    for (std::uint32_t i = 0; i < policy_.mappings.size(); ++i) {
      if (policy_.mappings[i].audit) continue;
      if (!matched_.contains(i)) {
        Report(Code::kMatchesNothing, {i});
      } else if (!decides_.contains(i)) {
        Report(Code::kUnreachable, {i});
      } else if (IsRedundant(i)) {
        Report(Code::kRedundant, {i});
      } else {
        FindShadows(i);
      }
      if (IsOverBroad(i)) Report(Code::kOverBroad, {i});
      FindStrays(i);
    }
    FindAmbiguous();
    FindServices();
    return std::move(findings_);
  }

  // Whether these mappings together take every packet of `i` before it, and none can be left out.
  bool IsSmallestCover(std::uint32_t i, const std::set<std::uint32_t>& cover) const {
    std::set<std::uint32_t> needed;
    for (const auto& matching : matching_) {
      const auto own = std::find(matching.begin(), matching.end(), i);
      if (own == matching.end()) continue;
      std::vector<std::uint32_t> takers;
      std::copy_if(matching.begin(), own, std::back_inserter(takers),
                   [&](std::uint32_t j) { return cover.contains(j); });
      if (takers.empty()) return false;
      if (takers.size() == 1) needed.insert(takers.front());
    }
    return needed == cover;
  }

 private:
  const model::Mapping& At(std::uint32_t i) const { return policy_.mappings[i]; }

  void Report(Code code, const std::vector<std::uint32_t>& mappings) {
    std::vector<std::string> names;
    for (const std::uint32_t i : mappings) names.push_back(At(i).name);
    std::sort(names.begin(), names.end());
    findings_.insert({code, names});
  }

  std::string AttributesOf(std::uint32_t i) const {
    std::string text;
    for (const auto& attribute : At(i).attributes) text += attribute.name + attribute.value;
    return text;
  }

  void Reach() {
    for (const auto& matching : matching_) {
      matched_.insert(matching.begin(), matching.end());
      if (!matching.empty()) decides_.insert(matching.front());
    }
  }

  bool IsRedundant(std::uint32_t i) const {
    return std::all_of(matching_.begin(), matching_.end(), [&](const auto& matching) {
      if (matching.empty() || matching.front() != i) return true;
      for (std::size_t n = 1; n < matching.size(); ++n) {
        const std::uint32_t heir = matching[n];
        if (!decides_.contains(heir)) continue;
        return At(heir).action == At(i).action && AttributesOf(heir) == AttributesOf(i);
      }
      return At(i).action == policy_.default_action && AttributesOf(i).empty();
    });
  }

  void FindShadows(std::uint32_t i) {
    std::set<std::uint32_t> shadows;
    for (const auto& matching : matching_) {
      if (matching.empty() || std::find(matching.begin(), matching.end(), i) == matching.end()) {
        continue;
      }
      const std::uint32_t winner = matching.front();
      if (At(winner).priority == At(i).priority && At(winner).action != At(i).action) {
        shadows.insert(winner);
      }
    }
    for (const std::uint32_t shadow : shadows) Report(Code::kPartlyShadowed, {i, shadow});
  }

  bool IsOverBroad(std::uint32_t i) const {
    if (At(i).action != Action::kAllow || !At(i).attributes.empty()) return false;
    for (const Family family : {Family::kV4, Family::kV6}) {
      for (const std::uint8_t protocol : {space::kTcp, space::kUdp}) {
        bool all = true;
        for (std::size_t n = 0; n < universe_.size() && all; ++n) {
          const Flow& flow = universe_[n];
          if (flow.source.family != family || flow.protocol != protocol) continue;
          // Nothing but "every address" holds an address of no prefix, so one that holds all is
          // that.
          all = EndsHold(i, flow) && PortsHold(i, flow);
        }
        if (all) return true;
      }
    }
    return false;
  }

  bool EndsHold(std::uint32_t i, const Flow& flow) const {
    const auto holds = [&](const auto& services, const space::Address& address) {
      return !services || std::any_of(services->begin(), services->end(), [&](std::uint32_t s) {
        return policy_.services[s].addresses.Contains(address);
      });
    };
    return holds(At(i).from, flow.source) && holds(At(i).to, flow.destination);
  }

  // Destination ports only: source ports do not make a mapping narrow.
  bool PortsHold(std::uint32_t i, const Flow& flow) const {
    const auto& protocols = At(i).protocols;
    if (protocols &&
        std::find(protocols->begin(), protocols->end(), flow.protocol) == protocols->end()) {
      return false;
    }
    const auto& ports = At(i).ports;
    return !ports || std::any_of(ports->begin(), ports->end(), [&](const auto& range) {
      return range.first <= flow.destination_port && flow.destination_port <= range.last;
    });
  }

  void FindStrays(std::uint32_t i) {
    const auto& protocols = At(i).protocols;
    if (!protocols) return;
    bool has[2] = {false, false};
    for (const Flow& flow : universe_) {
      if (EndsHold(i, flow)) has[flow.source.family == Family::kV6 ? 1 : 0] = true;
    }
    const auto names = [&](std::uint8_t protocol) {
      return std::find(protocols->begin(), protocols->end(), protocol) != protocols->end();
    };
    const bool only_v4 = names(space::kIcmp) && !names(space::kIcmpv6);
    const bool only_v6 = names(space::kIcmpv6) && !names(space::kIcmp);
    if ((only_v4 && !has[0] && has[1]) || (only_v6 && has[0] && !has[1])) {
      Report(Code::kWrongFamily, {i});
    }
  }

  void FindAmbiguous() {
    std::set<std::pair<std::uint32_t, std::uint32_t>> pairs;
    for (const auto& matching : matching_) {
      for (std::size_t a = 0; a < matching.size(); ++a) {
        for (std::size_t b = a + 1; b < matching.size(); ++b) {
          const std::uint32_t first = matching.front();
          const auto is_finalist = [&](std::uint32_t i) {
            return At(i).priority == At(first).priority && At(i).action == At(first).action;
          };
          if (is_finalist(matching[a]) && is_finalist(matching[b]) &&
              AttributesOf(matching[a]) != AttributesOf(matching[b])) {
            pairs.insert(std::minmax(matching[a], matching[b]));
          }
        }
      }
    }
    for (const auto& [a, b] : pairs) Report(Code::kAmbiguousMappings, {a, b});
  }

  void FindServices() {
    std::set<std::uint32_t> used;
    const std::function<void(std::uint32_t)> use = [&](std::uint32_t index) {
      used.insert(index);
      for (const std::uint32_t member : policy_.services[index].members) use(member);
    };
    for (const auto& mapping : policy_.mappings) {
      for (const auto* const end : {&mapping.from, &mapping.to}) {
        if (*end) std::for_each((*end)->begin(), (*end)->end(), use);
      }
    }
    std::set<space::Uint128> points;
    std::vector<space::Address> addresses;
    for (const Flow& flow : universe_) {
      if (points.insert(flow.source.value).second) addresses.push_back(flow.source);
    }
    std::vector<std::set<space::Uint128>> own(policy_.services.size());
    for (std::uint32_t i = 0; i < policy_.services.size(); ++i) {
      const auto& service = policy_.services[i];
      bool empty = true;
      for (const auto& address : addresses) {
        empty &= !service.addresses.Contains(address);
        if (IsIn(service.prefixes, address) && !IsIn(service.except, address)) {
          own[i].insert(address.value);
        }
      }
      if (empty) findings_.insert({Code::kEmptyService, {service.name}});
      if (!used.contains(i)) findings_.insert({Code::kUnusedService, {service.name}});
    }
    for (std::uint32_t a = 0; a < own.size(); ++a) {
      for (std::uint32_t b = a + 1; b < own.size(); ++b) {
        std::set<space::Uint128> common;
        std::set_intersection(own[a].begin(), own[a].end(), own[b].begin(), own[b].end(),
                              std::inserter(common, common.end()));
        if (common.empty() || common == own[a] || common == own[b]) continue;
        findings_.insert(
            {Code::kOverlappingServices, {policy_.services[a].name, policy_.services[b].name}});
      }
    }
  }

  static bool IsIn(const std::vector<space::Prefix>& prefixes, const space::Address& address) {
    return std::any_of(prefixes.begin(), prefixes.end(), [&](const space::Prefix& prefix) {
      return prefix.address.family == address.family &&
             space::Prefix::Of(address, prefix.length) == prefix;
    });
  }

  const model::Policy& policy_;
  const std::vector<Flow>& universe_;
  std::vector<std::vector<std::uint32_t>> matching_;  // by flow, in order of precedence
  std::set<std::uint32_t> matched_;
  std::set<std::uint32_t> decides_;
  Findings findings_;
};

std::string NameAt(const SourceRange& range) {
  return std::string(range.source->text().substr(range.begin, range.end - range.begin));
}

// What the diagnostics are about: their own places, and for pairs that of the note.
Findings FindingsOf(const Diagnostics& diagnostics) {
  Findings findings;
  for (const Diagnostic& diagnostic : diagnostics) {
    std::vector<std::string> names = {NameAt(diagnostic.range)};
    if (diagnostic.code == Code::kPartlyShadowed || diagnostic.code == Code::kAmbiguousMappings ||
        diagnostic.code == Code::kOverlappingServices) {
      names.push_back(NameAt(diagnostic.notes.front().range));
    }
    std::sort(names.begin(), names.end());
    findings.insert({diagnostic.code, names});
  }
  return findings;
}

std::string Text(const Findings& findings) {
  std::string text;
  for (const auto& [code, names] : findings) {
    text += std::string(InfoOf(code).id);
    for (const std::string& name : names) text += " " + name;
    text += "\n";
  }
  return text;
}

constexpr std::uint64_t kPolicies = tests::Course(5000U, 500U);

TEST_CASE("lint finds what trying every packet finds, no more and no less") {
  const std::vector<Flow> universe = tests::SmallUniverse();
  std::map<Code, std::size_t> seen;
  std::size_t unions = 0;
  for (std::uint64_t seed = 0; seed < kPolicies; ++seed) {
    Random random(seed);
    const Source source("p.yaml", tests::SmallPolicy(random));
    CAPTURE(seed, source.text());
    const auto parsed = yaml::ParseYaml(source);
    REQUIRE(parsed.ok());
    const auto policy = model::BuildPolicy({*parsed});
    INFO(TextOf(policy.diagnostics()));
    REQUIRE(policy.ok());
    const auto rules = ruleset::OrderRules(*policy);
    REQUIRE(rules.ok());
    Diagnostics findings = lint::Lint(*policy, *rules);
    const Diagnostics ambiguous = ruleset::FindAmbiguities(*rules);
    findings.insert(findings.end(), ambiguous.begin(), ambiguous.end());

    Oracle oracle(*policy, universe);
    const Findings expected = oracle.Find();
    const Findings found = FindingsOf(findings);
    if (found != expected) {
      FAIL("found:\n" << Text(found) << "expected:\n" << Text(expected));
    }
    const auto index_of = [&](const std::string& name) {
      return static_cast<std::uint32_t>(
          std::find_if(policy->mappings.begin(), policy->mappings.end(),
                       [&](const auto& mapping) { return mapping.name == name; }) -
          policy->mappings.begin());
    };
    for (const Diagnostic& finding : findings) {
      ++seen[finding.code];
      if (finding.code != Code::kUnreachable) continue;
      std::set<std::uint32_t> cover;
      for (const Note& note : finding.notes) cover.insert(index_of(NameAt(note.range)));
      if (cover.size() > 1) ++unions;
      INFO(TextOf({finding}));
      CHECK(oracle.IsSmallestCover(index_of(NameAt(finding.range)), cover));
    }
  }
  for (const Code code :
       {Code::kUnreachable, Code::kMatchesNothing, Code::kRedundant, Code::kPartlyShadowed,
        Code::kOverBroad, Code::kUnusedService, Code::kEmptyService, Code::kOverlappingServices,
        Code::kWrongFamily, Code::kAmbiguousMappings}) {
    INFO(InfoOf(code).id << " was found " << seen[code] << " times");
    CHECK(seen[code] >= kPolicies / 100);
  }
  INFO("mappings covered only by several others together: " << unions);
  CHECK(unions >= kPolicies / 100);
}

}  // namespace
}  // namespace march

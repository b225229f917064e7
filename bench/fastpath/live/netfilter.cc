#include "bench/fastpath/live/netfilter.h"

#include <algorithm>
#include <map>
#include <vector>

#include "compiler/space/protocol.h"

namespace march::bench {
namespace {

using space::Address;
using space::Family;
using space::Uint128;
using tests::PlainRule;

// Beyond so many sets, the form makes no sense any more.
constexpr std::size_t kMostSets = 32;

std::string PortsOf(const PlainRule& rule, char separator) {
  std::string text = std::to_string(rule.first_port);
  if (rule.last_port != rule.first_port) text += separator + std::to_string(rule.last_port);
  return text;
}

const char* IpOf(const Policy& policy) {
  return policy.options.family == Family::kV4 ? "ip" : "ip6";
}

std::string NftRule(const Policy& policy, const PlainRule& rule, bool with_destination) {
  const std::string ip = IpOf(policy);
  std::string text;
  if (rule.source.length > 0) text += ip + " saddr " + rule.source.ToString() + " ";
  if (with_destination && rule.destination.length > 0) {
    text += ip + " daddr " + rule.destination.ToString() + " ";
  }
  text += space::ProtocolName(rule.protocol) + " dport " + PortsOf(rule, '-');
  return text + (rule.allow ? " accept\n" : " goto denied\n");
}

std::string Range(Family family, Uint128 first, Uint128 last) {
  return Address{family, first}.ToString() +
         (first == last ? "" : "-" + Address{family, last}.ToString());
}

bool Meet(const PlainRule& a, const PlainRule& b) {
  return a.protocol == b.protocol && a.first_port <= b.last_port && b.first_port <= a.last_port &&
         a.source.First() <= b.source.Last() && b.source.First() <= a.source.Last() &&
         a.destination.First() <= b.destination.Last() &&
         b.destination.First() <= a.destination.Last();
}

// Sets may not hold elements that overlap: each goes into the first set where it meets none.
std::optional<std::vector<std::vector<const PlainRule*>>> SetsOf(const Policy& policy) {
  std::vector<std::vector<const PlainRule*>> sets;
  for (const PlainRule& rule : policy.rules) {
    if (!rule.allow) return {};
    const auto fits = [&](const auto& set) {
      return std::none_of(set.begin(), set.end(),
                          [&](const PlainRule* other) { return Meet(rule, *other); });
    };
    auto set = std::find_if(sets.begin(), sets.end(), fits);
    if (set == sets.end()) {
      if (sets.size() == kMostSets) return {};
      set = sets.emplace(sets.end());
    }
    set->push_back(&rule);
  }
  return sets;
}

struct Body {
  std::string declarations;  // sets, maps and chains
  std::string rules;         // of the base chain
};

std::optional<Body> SetBody(const Policy& policy) {
  const auto sets = SetsOf(policy);
  if (!sets) return {};
  const std::string ip = IpOf(policy);
  const std::string type = policy.options.family == Family::kV4 ? "ipv4_addr" : "ipv6_addr";
  Body body;
  for (std::size_t i = 0; i < sets->size(); ++i) {
    const std::string name = "allowed" + std::to_string(i);
    body.declarations += "set " + name + " { type " + type + " . " + type +
                         " . inet_proto . inet_service; flags interval; elements = {\n";
    for (const PlainRule* rule : (*sets)[i]) {
      body.declarations += rule->source.ToString() + " . " + rule->destination.ToString() + " . " +
                           space::ProtocolName(rule->protocol) + " . " + PortsOf(*rule, '-') +
                           ",\n";
    }
    body.declarations += "} }\n";
    body.rules += ip + " saddr . " + ip + " daddr . meta l4proto . th dport @" + name + " accept\n";
  }
  return body;
}

// Destinations that the same rules are about share a chain of these rules.
Body MapBody(const Policy& policy) {
  const Family family = policy.options.family;
  std::map<Uint128, std::vector<std::uint32_t>> begins, ends;
  for (std::uint32_t i = 0; i < policy.rules.size(); ++i) {
    const auto& destination = policy.rules[i].destination;
    begins[destination.First()].push_back(i);
    ends[destination.First()];
    if (destination.Last() != space::LastOf(family)) {
      begins[destination.Last() + 1];
      ends[destination.Last() + 1].push_back(i);
    }
  }
  Body body;
  std::map<std::vector<std::uint32_t>, std::string> chains;
  std::string elements;
  std::vector<std::uint32_t> present;  // ascending: in order of precedence
  for (auto at = begins.begin(); at != begins.end(); ++at) {
    for (const std::uint32_t rule : ends[at->first]) {
      present.erase(std::lower_bound(present.begin(), present.end(), rule));
    }
    for (const std::uint32_t rule : at->second) {
      present.insert(std::lower_bound(present.begin(), present.end(), rule), rule);
    }
    if (present.empty()) continue;
    std::string& chain = chains[present];
    if (chain.empty()) {
      chain = "to" + std::to_string(chains.size());
      body.declarations += "chain " + chain + " {\n";
      for (const std::uint32_t rule : present) {
        body.declarations += NftRule(policy, policy.rules[rule], false);
      }
      body.declarations += "goto denied\n}\n";
    }
    const auto next = std::next(at);
    const Uint128 last = next == begins.end() ? space::LastOf(family) : next->first - 1;
    elements += Range(family, at->first, last) + " : goto " + chain + ",\n";
  }
  const std::string type = family == Family::kV4 ? "ipv4_addr" : "ipv6_addr";
  body.declarations += "map destinations { type " + type +
                       " : verdict; flags interval; elements = {\n" + elements + "} }\n";
  body.rules = std::string(IpOf(policy)) + " daddr vmap @destinations\n";
  return body;
}

Body LinearBody(const Policy& policy) {
  Body body;
  for (const PlainRule& rule : policy.rules) body.rules += NftRule(policy, rule, true);
  return body;
}

std::optional<Body> BodyOf(const Policy& policy, NftForm form) {
  switch (form) {
    case NftForm::kLinear:
      return LinearBody(policy);
    case NftForm::kSet:
      return SetBody(policy);
    case NftForm::kMap:
      return MapBody(policy);
  }
  return {};
}

}  // namespace

std::optional<std::string> NftScript(const Policy& policy, NftPlace place, NftForm form,
                                     const std::string& interface) {
  const auto body = BodyOf(policy, form);
  if (!body) return {};
  const bool ingress = place == NftPlace::kIngress;
  std::string hook = "type filter hook ";
  if (ingress) {
    hook += "ingress device " + interface + " priority 0";
  } else {
    hook += place == NftPlace::kPrerouting ? "prerouting priority raw" : "forward priority filter";
  }
  // Neighbour discovery and the like are not the policy's: only packets of the trace are judged.
  const std::string guard = ingress ? "" : "iifname != \"" + interface + "\" accept\n";
  return "table " + std::string(ingress ? "netdev" : "inet") +
         " bench {\nchain denied {\ncounter drop\n}\n" + body->declarations + "chain judge {\n" +
         hook + "; policy accept;\n" + guard + body->rules + "goto denied\n}\n}\n";
}

std::string IptablesScript(const Policy& policy, bool raw) {
  const std::string chain = raw ? "PREROUTING" : "FORWARD";
  std::string text = raw ? "*raw\n:PREROUTING ACCEPT [0:0]\n:OUTPUT ACCEPT [0:0]\n"
                         : "*filter\n:INPUT ACCEPT [0:0]\n:FORWARD ACCEPT [0:0]\n:OUTPUT ACCEPT "
                           "[0:0]\n";
  text += ":BENCH-DENIED - [0:0]\n-A BENCH-DENIED -j DROP\n";
  for (const PlainRule& rule : policy.rules) {
    text += "-A " + chain;
    if (rule.source.length > 0) text += " -s " + rule.source.ToString();
    if (rule.destination.length > 0) text += " -d " + rule.destination.ToString();
    const std::string protocol = space::ProtocolName(rule.protocol);
    text += " -p " + protocol + " -m " + protocol + " --dport " + PortsOf(rule, ':');
    text += rule.allow ? " -j ACCEPT\n" : " -g BENCH-DENIED\n";
  }
  return text + "-A " + chain + " -g BENCH-DENIED\nCOMMIT\n";
}

}  // namespace march::bench

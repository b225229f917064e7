#include "tests/faults/policies.h"

#include <cstdint>
#include <utility>

#include "tests/random/random_policy.h"
#include "tests/rulesets/rulesets.h"

namespace march::tests {
namespace {

using space::Family;

// Small policies need no more than a matrix; with less of it, they have to take the other ways.
constexpr classify::Limits kRowsOnly = {
    .small_matrix_bytes = 0, .large_matrix_bytes = 0, .most_pairs = 1};
constexpr classify::Limits kSomeMatrix = {.small_matrix_bytes = 0, .large_matrix_bytes = 256};
constexpr classify::Limits kRowsFirst = {.small_matrix_bytes = 0, .most_pairs = 1};
constexpr classify::Limits kPairs = {.small_matrix_bytes = 0};

std::string Number(std::uint64_t number) {
  return std::to_string(number);
}

// A policy's text from its parts.
class Writer {
 public:
  void Service(const std::string& name, const std::string& addresses) {
    services_ += "  " + name + ": {addresses: [" + addresses + "]}\n";
  }
  // `rest` are further keys of the mapping.
  void Mapping(const std::string& name, const std::string& from, const std::string& to,
               const std::string& rest) {
    mappings_ += "  " + name + ": {";
    if (!from.empty()) mappings_ += "from: [" + from + "], ";
    if (!to.empty()) mappings_ += "to: [" + to + "], ";
    mappings_ += rest + "}\n";
  }
  std::string Text(bool default_allow = false) const {
    std::string text = "apiVersion: march/v1\nkind: Policy\n";
    if (default_allow) text += "defaults: {action: allow}\n";
    if (!services_.empty()) text += "services:\n" + services_;
    if (!mappings_.empty()) text += "mappings:\n" + mappings_;
    return text;
  }

 private:
  std::string services_;
  std::string mappings_;
};

std::string Tcp(std::uint64_t port) {
  return "protocols: [tcp], ports: [" + Number(port) + "]";
}

// Every treatment, of neighbours in precedence that ask for different ones.
std::string Treatments(bool default_allow) {
  Writer policy;
  policy.Service("a", "10.0.0.0/24, \"2001:db8:a::/64\"");
  policy.Service("b", "10.0.1.0/24, \"2001:db8:b::/64\"");
  policy.Mapping("plain", "a", "b", Tcp(80));
  policy.Mapping("stateless", "a", "b", Tcp(81) + ", stateful: false");
  policy.Mapping("turned-away", "a", "b", Tcp(82) + ", action: reject");
  policy.Mapping("dropped", "a", "b", Tcp(83) + ", action: deny");
  policy.Mapping("limited", "a", "b", Tcp(84) + ", limit: {packets: 100}");
  policy.Mapping("limited-alike", "a", "b", Tcp(85) + ", limit: {packets: 100}");
  policy.Mapping("by-source", "a", "b",
                 Tcp(86) + ", limit: {bytes: 1000, per: source, prefix_v4: 24, prefix_v6: 48}");
  policy.Mapping("by-destination", "a", "b",
                 Tcp(87) + ", limit: {connections: 7, burst: 10, per: destination, exceed: mark}");
  policy.Mapping("in-all", "a", "b",
                 Tcp(88) + ", limit: {packets: 3000000, bytes: 16000000000, connections: 1}");
  policy.Mapping("stateless-limited", "a", "b",
                 Tcp(89) + ", stateful: false, limit: {bytes: 70000, burst: 100000}");
  policy.Mapping("patient", "a", "b", Tcp(90) + ", limit: {packets: 1, burst: 16000000000}");
  policy.Mapping("watched", "a", "b", Tcp(80) + ", limit: {packets: 5}, audit: true, priority: 1");
  std::string text = policy.Text(default_allow);
  const std::string action = "{action: allow}";
  const std::size_t at = text.find(action);
  if (at != std::string::npos) text.replace(at, action.size(), "{action: allow, stateful: false}");
  return text;
}

// Nothing here makes a flow but what is under audit.
std::string NoState() {
  Writer policy;
  policy.Service("a", "10.0.0.0/24");
  policy.Mapping("turned-away", "a", "", "action: reject");
  policy.Mapping("stateless", "", "a", Tcp(80) + ", stateful: false");
  policy.Mapping("watched", "", "a", "audit: true");
  return policy.Text();
}

// Both ends of the address spaces, and their middles.
std::string Edges() {
  Writer policy;
  policy.Service("zero", "0.0.0.0/32, \"::/128\"");
  policy.Service("top", "255.255.255.255/32, \"ffff:ffff:ffff:ffff:ffff:ffff:ffff:ffff/128\"");
  policy.Service("low", "0.0.0.0/1, \"::/1\"");
  policy.Service("high", "128.0.0.0/1, \"8000::/1\"");
  policy.Service("middle",
                 "127.255.255.255/32, 128.0.0.0/32, \"8000::/128\", "
                 "\"7fff:ffff:ffff:ffff:ffff:ffff:ffff:ffff/128\"");
  policy.Service("slots", "10.15.255.255/32, 10.16.0.0/32, 10.31.255.0/24, 10.32.0.0/11");
  policy.Service("halves",
                 "\"2001:db8:0:1:ffff:ffff:ffff:ffff/128\", \"2001:db8:0:2::/128\", "
                 "\"2001:db8:0:3::/64\", \"2001:db8:0:4::/65\"");
  policy.Service("below", "255.255.255.254/32, \"ffff:ffff:ffff:ffff:ffff:ffff:ffff:fffe/128\"");
  const char* const names[] = {"below", "zero", "top", "low", "high", "middle", "slots", "halves"};
  std::uint32_t port = 0;
  for (const char* const from : names) {
    policy.Mapping(std::string("from-") + from, from, "", Tcp(port++));
    policy.Mapping(std::string("to-") + from, "", from, Tcp(port++));
    for (const char* const to : names) {
      policy.Mapping(std::string(from) + "-" + to, from, to, Tcp(65535 - port++));
    }
  }
  policy.Mapping("first-port", "", "", "protocols: [udp], ports: [0]");
  policy.Mapping("last-port", "", "", "protocols: [udp], ports: [65535]");
  policy.Mapping("first-protocol", "low", "", "protocols: [255]");
  policy.Mapping("last-protocol", "", "high", "protocols: [2]");
  return policy.Text();
}

// Priorities, actions and names that fight.
std::string Ties() {
  Writer policy;
  policy.Service("a", "10.0.0.0/8, \"2001:db8::/32\"");
  policy.Service("b", "10.1.0.0/16, \"2001:db8:1::/48\"");
  policy.Service("c", "10.2.0.0/16, 10.1.2.0/24, \"2001:db8:1:2::/64\"");
  const char* const actions[] = {"allow", "deny"};
  const char* const ends[] = {"", "a", "b", "c"};
  std::uint32_t number = 0;
  for (const char* const priority : {"-5", "0", "5"}) {
    for (const char* const action : actions) {
      for (const char* const end : ends) {
        const std::string rest = "protocols: [tcp], ports: [" + Number(80 + number % 7) + "-" +
                                 Number(86 + number % 5 * 3) + "], action: " + action +
                                 ", priority: " + priority;
        // Names run against the order in which they are written.
        policy.Mapping("m" + Number(999 - number), end, ends[(number * 3 + 1) % 4], rest);
        policy.Mapping("n" + Number(100 + number), ends[(number + 2) % 4], end, rest);
        ++number;
      }
    }
  }
  return policy.Text();
}

// Overlapping mappings enough for lists and tables over layer 4.
std::string Lists(bool default_allow) {
  Writer policy;
  policy.Service("servers", "10.0.0.0/24, \"2001:db8::/64\"");
  policy.Service("few", "10.0.0.16/28, \"2001:db8::10/124\"");
  policy.Service("many", "10.0.0.128/25, \"2001:db8::8000/113\"");
  for (std::uint32_t i = 0; i < 8; ++i) {
    policy.Mapping("list" + Number(i), "", "few",
                   "protocols: [tcp], ports: [\"" + Number(100 + 10 * i) + "-" +
                       Number(115 + 10 * i) + "\"], priority: " + Number(i * 5 % 8) +
                       (i % 3 == 0 ? ", action: deny" : ""));
  }
  for (std::uint32_t i = 0; i < 14; ++i) {
    policy.Mapping("table" + Number(i), "", "many",
                   "protocols: [" + std::string(i % 4 == 0 ? "udp" : "tcp, sctp") +
                       "], ports: [\"" + Number(1000 + 7 * i) + "-" + Number(1030 + 9 * i) +
                       "\"], priority: " + Number(i * 3 % 7) +
                       (i % 2 == 0 ? ", action: deny" : ""));
  }
  policy.Mapping("whole-udp", "", "many", "protocols: [udp], priority: 3, action: deny");
  policy.Mapping("whole-tcp", "", "many", "protocols: [tcp], priority: 1");
  policy.Mapping("all", "many", "servers", "protocols: [any], priority: 2");
  policy.Mapping("gre", "", "many", "protocols: [47]");
  return policy.Text(default_allow);
}

// Tables over source ports behind tables over layer 4.
std::string SourcePorts() {
  Writer policy;
  policy.Service("s", "10.0.0.0/24, \"2001:db8::/64\"");
  policy.Service("t", "10.0.1.0/24, \"2001:db8:0:1::/64\"");
  for (std::uint32_t i = 0; i < 12; ++i) {
    policy.Mapping("p" + Number(i), "", "s",
                   Tcp(80 + i / 11) + ", source_ports: [\"" + Number(1000 + 100 * i) + "-" +
                       Number(1150 + 130 * i) + "\"], priority: " + Number(i * 5 % 12) +
                       (i % 3 == 1 ? ", action: deny" : "") + (i % 5 == 4 ? ", audit: true" : ""));
  }
  policy.Mapping("rest", "", "s", "protocols: [tcp], source_ports: [65535], priority: -1");
  policy.Mapping("none", "", "s", "protocols: [tcp], source_ports: [0], priority: -1");
  policy.Mapping("any", "", "t", "source_ports: [\"1024-65535\"], ports: [53]");
  policy.Mapping("some", "", "t", "source_ports: [53, 123, \"500-600\", 4500], ports: [53, 123]");
  policy.Mapping("udp", "s", "", "protocols: [udp], source_ports: [\"0-1023\"], action: deny");
  policy.Mapping("behind", "s", "", "protocols: [udp, tcp], priority: -2");
  return policy.Text();
}

// Mappings of one range of source ports, each alone where it matches.
std::string SourcePortsAlone() {
  Writer policy;
  for (std::uint32_t i = 0; i < 8; ++i) {
    const std::string n = Number(i);
    policy.Service("d" + n, "10.0." + n + ".0/24, \"2001:db8:" + n + "::/64\"");
    policy.Mapping("m" + n, "", "d" + n,
                   Tcp(80 + i) + ", source_ports: [\"" + Number(1000 * i) + "-" +
                       Number(1000 * i + 500) + "\"]");
  }
  return policy.Text();
}

// Sets of one interval up to many.
std::string Sets() {
  Writer policy;
  policy.Service("s", "10.0.0.0/24, \"2001:db8::/64\"");
  policy.Service("t", "10.0.1.0/24, \"2001:db8:0:1::/64\"");
  const std::uint32_t counts[] = {2, 3, 5, 8, 17, 33};
  std::string odd;
  for (std::uint32_t i = 0; i < 70; ++i) odd += Number(2 * i + 1) + ", ";
  policy.Mapping("odd", "s", "", "protocols: [sctp], ports: [9], source_ports: [" + odd + "999]");
  for (const std::uint32_t count : counts) {
    std::string ports;
    for (std::uint32_t i = 0; i < count; ++i) {
      ports += (i == 0 ? "" : ", ") + std::string("\"") + Number(7 + count + i * 1900) + "-" +
               Number(7 + count + i * 1900 + i % 3) + "\"";
    }
    const std::string name = Number(count);
    policy.Mapping("to" + name, "", count % 2 == 0 ? "s" : "t",
                   "protocols: [tcp], ports: [" + ports + "]");
    policy.Mapping("from" + name, count % 2 == 0 ? "t" : "s", "",
                   "protocols: [udp], ports: [53], source_ports: [" + ports + "]");
  }
  policy.Mapping("ends", "s", "t",
                 "protocols: [sctp], ports: [0, 65535], source_ports: [0, 65535]");
  return policy.Text();
}

// Mappings under audit before, between and behind those that decide.
std::string Audits(bool default_allow) {
  Writer policy;
  policy.Service("s", "10.0.0.0/24, \"2001:db8::/64\"");
  policy.Service("t", "10.0.0.0/28, 10.0.9.0/24, \"2001:db8::/112\"");
  const char* const ends[] = {"", "s", "t"};
  for (std::uint32_t i = 0; i < 36; ++i) {
    std::string rest = "priority: " + Number(i * 7 % 11);
    if (i % 4 == 0) rest += ", protocols: [tcp]";
    if (i % 4 == 1) rest += ", " + Tcp(80 + i % 3);
    if (i % 4 == 2) rest += ", protocols: [udp], ports: [53], source_ports: [\"1024-65535\"]";
    if (i % 4 == 3) rest += ", protocols: [tcp, udp], ports: [\"1-" + Number(50 + i) + "\"]";
    if (i % 3 == 0) rest += ", audit: true";
    if (i % 5 < 2) rest += ", action: deny";
    policy.Mapping("m" + Number(10 + i * 5 % 36), ends[i % 3], ends[i / 3 % 3], rest);
  }
  policy.Mapping("watch", "t", "t", "priority: 20, audit: true, action: deny");
  policy.Mapping("watch-too", "t", "t", "priority: 19, audit: true");
  policy.Mapping("all", "t", "s", "priority: 12");
  return policy.Text(default_allow);
}

// What later fragments may meet: mappings of all ports, of some, and of none.
std::string Fragments(bool default_allow) {
  Writer policy;
  policy.Service("a", "10.0.0.0/24, \"2001:db8::/64\"");
  policy.Service("b", "10.0.1.0/24, \"2001:db8:0:1::/64\"");
  policy.Service("c", "10.0.2.0/24, \"2001:db8:0:2::/64\"");
  policy.Service("d", "10.0.3.0/24, \"2001:db8:0:3::/64\"");
  policy.Mapping("a1", "", "a", Tcp(80) + ", action: deny, priority: 3");
  policy.Mapping("a2", "", "a", "protocols: [tcp], priority: 2");
  policy.Mapping("b1", "", "b", Tcp(80) + ", priority: 3");
  policy.Mapping("b2", "", "b", "protocols: [tcp], priority: 2");
  policy.Mapping("b3", "", "b", "protocols: [tcp], action: deny, priority: 1");
  policy.Mapping("c1", "", "c", Tcp(80) + ", priority: 3");
  policy.Mapping("c2", "", "c", "protocols: [tcp], ports: [\"1-65535\"], action: deny");
  policy.Mapping("c3", "", "c", "protocols: [udp], source_ports: [53], action: deny, priority: 1");
  policy.Mapping("c4", "", "c", "protocols: [udp]");
  policy.Mapping("d1", "d", "", "protocols: [any], ports: [443], priority: 2");
  policy.Mapping("d2", "d", "", "protocols: [any], source_ports: [99], action: deny, priority: 1");
  policy.Mapping("d3", "d", "", "");
  policy.Mapping("w1", "", "d", "protocols: [tcp], audit: true, action: deny, priority: 9");
  policy.Mapping("w2", "", "d", Tcp(22) + ", audit: true, action: deny, priority: 10");
  policy.Mapping("esp", "a", "b", "protocols: [50, 47]");
  policy.Mapping("icmp", "a", "c", "icmp_types: [8, 0], protocols: [icmp]");
  for (std::uint32_t i = 0; i < 11; ++i) {
    policy.Mapping("t" + Number(i), "c", "d",
                   Tcp(100 + i) + ", priority: " + Number(20 + i) +
                       (i == 7 && default_allow ? ", action: deny" : ""));
  }
  policy.Mapping("u", "c", "d", "protocols: [tcp, udp], priority: 19");
  return policy.Text(default_allow);
}

std::string Icmp() {
  Writer policy;
  policy.Service("a", "10.0.0.0/24, \"2001:db8::/64\"");
  policy.Service("b", "10.0.1.0/24, \"2001:db8:0:1::/64\"");
  policy.Mapping("echo", "", "a", "protocols: [icmp], icmp_types: [8]");
  policy.Mapping("echo6", "", "a", "protocols: [icmpv6], icmp_types: [128]");
  policy.Mapping("codes", "a", "", "protocols: [icmp], icmp_types: [3/0, 3/1, 3/4, 11/0, 255/255]");
  policy.Mapping("codes6", "a", "", "protocols: [icmpv6], icmp_types: [1/0, 1/4, 0/0, 255/255]");
  policy.Mapping("no-types", "b", "", "protocols: [icmp], icmp_types: [3], action: deny");
  policy.Mapping("all", "b", "", "protocols: [icmp, icmpv6]");
  policy.Mapping("first", "", "b", "protocols: [icmp], icmp_types: [0]");
  policy.Service("link", "\"fe80::/10\", \"ff02::/16\"");
  policy.Mapping("link", "", "link", "protocols: [icmpv6], icmp_types: [134, 135], action: deny");
  policy.Mapping("discovery", "", "b",
                 "protocols: [icmpv6], icmp_types: [133, 134, 135, 136, 137]");
  return policy.Text();
}

// One address in prefixes of every length, as source and as destination; `both`: the same services
// at both ends.
std::string Nested(bool v4, bool both) {
  Writer policy;
  const std::uint32_t bits = v4 ? 32 : 128;
  const auto address =
      *space::Address::Parse(v4 ? "10.170.85.102" : "2001:db8:aaaa:5555:aaaa:5555:aaaa:5556");
  for (std::uint32_t length = 1; length <= bits; length += v4 ? 1 : 3) {
    const std::string name = "p" + Number(length);
    policy.Service(name, "\"" + space::Prefix::Of(address, length).ToString() + "\"");
    policy.Mapping("to" + Number(100 + length), "", name,
                   Tcp(1000 + length) + ", priority: " + Number(length % 5));
    if (both) {
      policy.Mapping("from" + Number(100 + length), name, "",
                     "protocols: [udp], ports: [" + Number(length % 9) + "]");
      policy.Mapping("in" + Number(100 + length), name, name, "protocols: [47]");
    }
  }
  return policy.Text();
}

// Hosts next to each other and far apart, each with a port of its own: lines of many keys, and
// lines behind lines.
std::string Hosts4() {
  Writer policy;
  for (std::uint32_t i = 0; i < 220; ++i) {
    const std::string name = "h" + Number(i);
    const std::uint32_t host = i < 100 ? 2 * i : i < 160 ? 300 + 5 * i : 256 * i;
    policy.Service(name, "10.1." + Number(host >> 8) + "." + Number(host & 255));
    policy.Mapping("to" + Number(i), "", name, Tcp(1000 + i % 40));
    if (i % 4 == 0) policy.Mapping("from" + Number(i), name, "", Tcp(2000 + i % 7));
  }
  for (std::uint32_t i = 0; i < 70; ++i) {
    const std::string name = "n" + Number(i);
    policy.Service(name, Number(11 + 3 * i) + "." + Number(i * 37 % 256) + ".128.0/17");
    policy.Mapping("net" + Number(i), name, "", Tcp(3000 + i % 5));
  }
  return policy.Text();
}

// Networks of 64 bits: some lie evenly, some in clusters; and hosts in a few of them.
std::string Hosts6() {
  static const char kHex[] = "0123456789abcdef";
  const auto hex = [](std::uint64_t number) {
    std::string text;
    for (int shift = 28; shift >= 0; shift -= 4) {
      if (shift == 12) text += ":";
      text += kHex[number >> shift & 15];
    }
    return text;
  };
  Writer policy;
  for (std::uint32_t i = 0; i < 160; ++i) {
    const std::string name = "n" + Number(i);
    const std::uint32_t network = i < 90 ? 3 * i : (i * 2654435761U) & 0x7fffff0fU;
    policy.Service(name, "\"2001:db8:" + hex(network) + "::/64\"");
    policy.Mapping("net" + Number(i), i % 3 == 0 ? name : "", i % 3 == 0 ? "" : name,
                   Tcp(1000 + i % 50));
  }
  for (std::uint32_t i = 0; i < 130; ++i) {
    const std::string name = "h" + Number(i);
    const std::uint32_t host = i < 70 ? 2 * i : i * 2654435761U;
    policy.Service(name, "\"2001:db8:ffff:" + Number(i % 3) + "::" + hex(host) + "/128\"");
    policy.Mapping("host" + Number(i), i % 2 == 0 ? name : "", i % 2 == 0 ? "" : name,
                   Tcp(2000 + i % 40));
  }
  policy.Service("half", "\"2001:db8:ffff:1:8000::/65\", \"2001:db8:fffe::/47\"");
  policy.Mapping("half", "half", "half", "protocols: [udp]");
  return policy.Text();
}

// Rows of hundreds of ranges, in order and with gaps: by source, or, turned around, by destination.
std::string LongRow(Family family, bool by_source) {
  Writer policy;
  const auto prefix = [&](std::uint32_t number, std::uint32_t host, bool whole) {
    if (family == Family::kV4) {
      return "10." + Number(100 + (number >> 8)) + "." + Number(number & 255) + "." + Number(host) +
             (whole ? "/24" : "/32");
    }
    return "\"2001:db8:" + Number(number) + "::" + Number(host) + (whole ? "/64\"" : "/128\"");
  };
  const auto add = [&](const std::string& name, const std::string& one, const std::string& other,
                       const std::string& rest) {
    policy.Mapping(name, by_source ? one : other, by_source ? other : one, rest);
  };
  policy.Service("one", family == Family::kV4 ? "192.0.2.0/24" : "\"2001:db8:ffff:1::/64\"");
  policy.Service("two", family == Family::kV4 ? "192.0.2.0/28" : "\"2001:db8:ffff:1::/120\"");
  policy.Service("three", family == Family::kV4 ? "198.51.100.7" : "\"2001:db8:ffff:3::7\"");
  for (std::uint32_t i = 0; i < 330; ++i) {
    const std::string outer = "o" + Number(i);
    const std::string inner = "i" + Number(i);
    policy.Service(outer, prefix(i, 0, true));
    policy.Service(inner, prefix(i, 9, false));
    if (i % 10 != 3) add("a" + Number(1000 + i), "one", outer, Tcp(80 + i % 3));
    if (i % 3 == 0) add("b" + Number(1000 + i), "two", outer, Tcp(90 + i % 4));
    add("c" + Number(1000 + i), "three", inner, Tcp(100 + i % 5));
    // A few rows that have just as many ranges as a record, or a line more, has room for.
    if (i < 12) add("d" + Number(1000 + i), "i" + Number(200 + i / 4), outer, Tcp(7));
    if (i >= 20 && i < 28) add("e" + Number(1000 + i), "i210", outer, Tcp(8));
  }
  return policy.Text();
}

// As a row is found: pairs that take each other's places, with what other views have besides.
std::string Pairs() {
  Writer policy;
  for (std::uint32_t i = 0; i < 90; ++i) {
    policy.Service("s" + Number(i),
                   "10.0.0." + Number(2 * i) + ", \"2001:db8::" + Number(2 * i) + "\"");
    policy.Service("d" + Number(i),
                   "10.0.1." + Number(2 * i) + ", \"2001:db8:1::" + Number(2 * i) + "\"");
  }
  policy.Service("sources", "10.0.0.0/25");
  policy.Service("destinations", "10.0.1.0/25, \"2001:db8:1::/120\"");
  for (std::uint32_t i = 0; i < 700; ++i) {
    policy.Mapping("m" + Number(1000 + i), "s" + Number(i * 7 % 90), "d" + Number(i * 13 / 3 % 90),
                   Tcp(80 + i % 6) + (i % 9 == 0 ? ", action: deny" : ""));
  }
  for (std::uint32_t i = 0; i < 30; ++i) {
    policy.Mapping(
        "up" + Number(i), "", "d" + Number(i),
        "protocols: [tcp], ports: [\"80-82\"], action: deny, priority: " + Number(i % 2));
    policy.Mapping("in" + Number(i), "s" + Number(3 * i), "", "protocols: [udp], priority: 1");
  }
  policy.Mapping("wide", "sources", "destinations", "ports: [\"84-85\"], priority: 2");
  policy.Mapping("deny", "sources", "", Tcp(85) + ", action: deny, priority: 3");
  return policy.Text();
}

// As many mappings as have counters just beyond a round number of them.
std::string Counters() {
  Writer policy;
  policy.Service("s", "10.0.0.0/24");
  for (std::uint32_t i = 0; i < 245; ++i) policy.Mapping("m" + Number(i), "s", "", Tcp(3 * i));
  return policy.Text();
}

// Searches of which the last is not the deepest, by the lower half too.
std::string ShallowEnd() {
  Writer policy;
  for (std::uint32_t i = 0; i < 60; ++i) {
    policy.Service("h" + Number(i), "\"2001:db8::" + Number(3 * i) + "\"");
    policy.Mapping("m" + Number(i), "h" + Number(i), "", Tcp(i));
    if (i % 2 == 0) policy.Mapping("n" + Number(i), "", "h" + Number(i), Tcp(100 + i));
  }
  policy.Service("last", "\"2001:db9::\"");
  policy.Mapping("last", "last", "last", Tcp(200));
  return policy.Text();
}

// Rows by destination of which the matrix has something for one address and nothing for another.
std::string Halves() {
  Writer policy;
  policy.Service("sources", "10.0.0.0/8, \"2001:db8::/32\"");
  policy.Service("half", "10.128.0.0/9, \"2001:db8:8000::/33\"");
  policy.Mapping("wide", "sources", "half", "protocols: [tcp], ports: [\"20-30\"], priority: 1");
  for (std::uint32_t i = 0; i < 40; ++i) {
    const std::string n = Number(i + 1);
    policy.Service("d" + n, "10.0.0." + n + ", 10.200.0." + n + ", \"2001:db8::" + n +
                                "\", \"2001:db8:8000::" + n + "\"");
    policy.Service("s" + n, "10.100.0." + n + ", 172.16.0." + n + ", \"2001:db8:1::" + n +
                                "\", \"2001:db9:1::" + n + "\"");
    policy.Mapping("to" + n, "", "d" + n, Tcp(i));
    policy.Mapping("from" + n, "s" + n, "", Tcp(i + 10));
    if (i % 2 == 0) policy.Mapping("pair" + n, "s" + n, "d" + n, Tcp(25));
  }
  return policy.Text();
}

std::string OneFamily(const std::string& network, const std::string& host) {
  Writer policy;
  policy.Service("n", network);
  policy.Service("h", host);
  policy.Mapping("a", "n", "h", Tcp(443));
  policy.Mapping("b", "h", "n", "protocols: [udp], action: deny, priority: 1");
  return policy.Text(true);
}

void AddRulesets(std::vector<NamedPolicy>& policies, std::uint32_t size, const std::string& suffix,
                 const classify::Limits& limits) {
  for (const Style style : kStyles) {
    for (const Family family : {Family::kV4, Family::kV6}) {
      policies.push_back({std::string(NameOf(style)) + (family == Family::kV4 ? "4" : "6") + suffix,
                          PolicyOf(MakeRuleset({style, family, size, size})), limits});
    }
  }
}

}  // namespace

std::vector<NamedPolicy> FaultPolicies() {
  std::vector<NamedPolicy> policies = {
      {"edges", {Edges()}, {}},
      {"edges-rows", {Edges()}, kRowsOnly},
      {"ties", {Ties()}, {}},
      {"ties-rows", {Ties()}, kRowsOnly},
      {"lists", {Lists(false)}, {}},
      {"lists-rows", {Lists(true)}, kRowsOnly},
      {"source-ports", {SourcePorts()}, {}},
      {"source-ports-rows", {SourcePorts()}, kRowsFirst},
      {"source-ports-alone", {SourcePortsAlone()}, {}},
      {"sets", {Sets()}, {}},
      {"audits", {Audits(false)}, {}},
      {"audits-rows", {Audits(true)}, kRowsOnly},
      {"fragments", {Fragments(false)}, {}},
      {"fragments-allow", {Fragments(true)}, kSomeMatrix},
      {"icmp", {Icmp()}, {}},
      {"nested4", {Nested(true, true)}, {}},
      {"nested4-rows", {Nested(true, false)}, kRowsOnly},
      {"nested6", {Nested(false, true)}, kSomeMatrix},
      {"hosts4", {Hosts4()}, {}},
      {"hosts6", {Hosts6()}, {}},
      {"pairs", {Pairs()}, kRowsFirst},
      {"counters", {Counters()}, {}},
      {"shallow-end", {ShallowEnd()}, {}},
      {"shallow-end-rows", {ShallowEnd()}, kRowsOnly},
      {"halves", {Halves()}, kRowsFirst},
      {"halves-rows", {Halves()}, kRowsOnly},
      {"halves-pairs", {Halves()}, kPairs},
      {"many-pairs", {Pairs()}, kPairs},
      {"only4", {OneFamily("10.0.0.0/8", "192.0.2.1")}, {}},
      {"only6", {OneFamily("\"2001:db8::/32\"", "\"2001:db8:1::1\"")}, kRowsOnly},
      {"treatments", {Treatments(false)}, {}},
      {"treatments-allow", {Treatments(true)}, kRowsOnly},
      {"no-state", {NoState()}, {}},
      {"nothing", {Writer().Text(false)}, {}},
      {"everything", {Writer().Text(true)}, {}},
  };
  AddRulesets(policies, 300, "", {});
  AddRulesets(policies, 150, "-rows", kRowsOnly);
  constexpr std::uint64_t kFirstSeed = 20260101;
  constexpr classify::Limits kLimits[] = {{}, kRowsOnly, kSomeMatrix, kRowsFirst, kPairs};
  for (std::uint64_t seed = kFirstSeed; seed < kFirstSeed + 15; ++seed) {
    Random random(seed);
    policies.push_back({"random" + Number(seed - kFirstSeed),
                        {RandomPolicy(random, 20 + static_cast<std::uint32_t>(seed % 20))},
                        kLimits[seed % 5]});
  }
  for (const Family family : {Family::kV4, Family::kV6}) {
    for (const bool by_source : {true, false}) {
      policies.push_back({std::string("row-by-") + (by_source ? "source" : "destination") +
                              (family == Family::kV4 ? "4" : "6"),
                          {LongRow(family, by_source)},
                          kRowsOnly});
    }
  }
  return policies;
}

}  // namespace march::tests

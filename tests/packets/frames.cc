#include "tests/packets/frames.h"

#include <utility>

namespace march::tests {
namespace {

using Bytes = std::vector<std::uint8_t>;

Bytes operator+(Bytes left, const Bytes& right) {
  left.insert(left.end(), right.begin(), right.end());
  return left;
}

Bytes Be16(unsigned value) {
  return {static_cast<std::uint8_t>(value >> 8), static_cast<std::uint8_t>(value)};
}

Bytes Ethernet(unsigned type) {
  return Bytes{2, 0, 0, 0, 0, 1, 2, 0, 0, 0, 0, 2} + Be16(type);
}

// A tag that says which type follows it.
Bytes Tag(unsigned next_type) {
  return Bytes{0, 7} + Be16(next_type);
}

Bytes Tcp(unsigned port) {
  return Be16(40000) + Be16(port) + Bytes(8, 0) + Bytes{0x50, 0x02, 0xFF, 0xFF, 0, 0, 0, 0};
}
Bytes Udp(unsigned port) {
  return Be16(40000) + Be16(port) + Bytes{0, 8, 0, 0};
}
Bytes Sctp(unsigned port) {
  return Be16(40000) + Be16(port) + Bytes(8, 0);
}
Bytes Echo(std::uint8_t type) {
  return Bytes{type, 0, 0, 0, 0, 1, 0, 1};
}

struct V4 {
  std::uint8_t protocol = 6;
  unsigned fragment = 0;  // flags and offset as on the wire
  Bytes options = {};
  int length_error = 0;  // added to the total length
  std::uint8_t version = 4;
  std::uint8_t source_host = 5;
};

Bytes Ipv4(const V4& v, const Bytes& payload) {
  const auto words = static_cast<std::uint8_t>(5 + v.options.size() / 4);
  const auto total = static_cast<unsigned>(
      static_cast<int>(20 + v.options.size() + payload.size()) + v.length_error);
  return Bytes{static_cast<std::uint8_t>(v.version << 4 | words), 0} + Be16(total) + Be16(1) +
         Be16(v.fragment) + Bytes{64, v.protocol, 0, 0} + Bytes{10, 1, 0, v.source_host} +
         Bytes{10, 2, 0, 10} + v.options + payload;
}

Bytes V6Address(std::uint8_t net, std::uint8_t host) {
  return Bytes{0x20, 0x01, 0x0D, 0xB8, 0, net, 0, 0, 0, 0, 0, 0, 0, 0, 0, host};
}

struct V6 {
  std::uint8_t next = 6;
  std::uint8_t hops = 64;
  int length_error = 0;
  std::uint8_t version = 6;
  Bytes destination = V6Address(2, 10);
};

Bytes Ipv6(const V6& v, const Bytes& payload) {
  const auto length = static_cast<unsigned>(static_cast<int>(payload.size()) + v.length_error);
  return Bytes{static_cast<std::uint8_t>(v.version << 4), 0, 0, 0} + Be16(length) +
         Bytes{v.next, v.hops} + V6Address(1, 5) + v.destination + payload;
}

// Extension headers of eight bytes, or `units` more eights.
Bytes Options(std::uint8_t next, std::uint8_t units = 0) {
  return Bytes{next, units} + Bytes(6 + 8 * std::size_t{units}, 0);
}
Bytes Routing(std::uint8_t next, std::uint8_t segments_left) {
  return Bytes{next, 0, 4, segments_left, 0, 0, 0, 0};
}
Bytes Fragment(std::uint8_t next, unsigned offset_and_flag) {
  return Bytes{next, 0} + Be16(offset_and_flag) + Bytes{0, 0, 0, 1};
}
Bytes Ah(std::uint8_t next) {
  return Bytes{next, 4} + Bytes(22, 0);
}

Bytes Repeat(const Bytes& header, int times) {
  Bytes bytes;
  for (int i = 0; i < times; ++i) bytes = bytes + header;
  return bytes;
}

Bytes CutTo(Bytes bytes, std::size_t size) {
  bytes.resize(size);
  return bytes;
}

constexpr unsigned kV4 = 0x0800;
constexpr unsigned kV6 = 0x86DD;
constexpr unsigned kVlan = 0x8100;
constexpr unsigned kQinq = 0x88A8;

void AddPlain(std::vector<FrameCase>& cases) {
  const auto v4 = [](const V4& v, const Bytes& payload) {
    return Ethernet(kV4) + Ipv4(v, payload);
  };
  cases.push_back({"tcp to an open port", v4({}, Tcp(80)), "web", true});
  cases.push_back({"tcp to a closed port", v4({}, Tcp(81)), "default", false});
  cases.push_back({"first port of a range", v4({}, Tcp(8000)), "web", true});
  cases.push_back({"last port of a range", v4({}, Tcp(8100)), "web", true});
  cases.push_back({"port behind a range", v4({}, Tcp(8101)), "default", false});
  cases.push_back({"udp at any port", v4({.protocol = 17}, Udp(9)), "all-udp", true});
  cases.push_back({"sctp at an open port", v4({.protocol = 132}, Sctp(80)), "signalling", true});
  cases.push_back({"echo request", v4({.protocol = 1}, Echo(8)), "ping", true});
  cases.push_back(
      {"protocol without a mapping", v4({.protocol = 47}, Bytes(8, 0)), "default", false});
  cases.push_back({"deny of higher priority", v4({.source_host = 66}, Tcp(80)), "block", false});
  cases.push_back({"padding behind the packet", v4({}, Tcp(80)) + Bytes(6, 0), "web", true});

  const auto v6 = [](const V6& v, const Bytes& payload) {
    return Ethernet(kV6) + Ipv6(v, payload);
  };
  cases.push_back({"v6 tcp to an open port", v6({}, Tcp(80)), "web", true});
  cases.push_back({"v6 tcp to a closed port", v6({}, Tcp(81)), "default", false});
  cases.push_back({"v6 udp", v6({.next = 17}, Udp(9)), "all-udp", true});
  cases.push_back({"v6 echo request", v6({.next = 58}, Echo(128)), "ping6", true});
  cases.push_back({"v6 no next header", v6({.next = 59}, {}), "default", false});
}

void AddLinkLayer(std::vector<FrameCase>& cases) {
  const Bytes packet = Ipv4({}, Tcp(80));
  cases.push_back({"one tag", Ethernet(kVlan) + Tag(kV4) + packet, "web", true});
  cases.push_back({"two tags", Ethernet(kQinq) + Tag(kVlan) + Tag(kV4) + packet, "web", true});
  cases.push_back({"three tags", Ethernet(kQinq) + Tag(kVlan) + Tag(kVlan) + Tag(kV4) + packet,
                   "vlan-depth", false});
  cases.push_back({"tag cut off", Ethernet(kVlan) + Bytes{0, 7}, "truncated", false});
  cases.push_back({"tagged v6", Ethernet(kVlan) + Tag(kV6) + Ipv6({}, Tcp(80)), "web", true});
  cases.push_back({"arp", Ethernet(0x0806) + Bytes(28, 0), "arp", true});
  cases.push_back({"tagged arp", Ethernet(kVlan) + Tag(0x0806) + Bytes(28, 0), "arp", true});
  cases.push_back({"lldp", Ethernet(0x88CC) + Bytes(46, 0), "not-ip", false});
  cases.push_back({"802.3 length", Ethernet(46) + Bytes(46, 0), "not-ip", false});
}

void AddIpv4Faults(std::vector<FrameCase>& cases) {
  const auto v4 = [](const V4& v, const Bytes& payload) {
    return Ethernet(kV4) + Ipv4(v, payload);
  };
  const auto options = [&](const Bytes& bytes) { return v4({.options = bytes}, Tcp(80)); };
  cases.push_back({"options: nop", options({1, 1, 1, 0}), "web", true});
  cases.push_back({"options: record route", options({7, 7, 4, 0, 0, 0, 0, 0}), "web", true});
  cases.push_back({"options: full forty bytes", options(Bytes(40, 1)), "web", true});
  cases.push_back({"options: end, then anything", options({0, 131, 1, 1}), "web", true});
  cases.push_back(
      {"options: loose source route", options({131, 7, 4, 10, 9, 9, 9, 0}), "source-route", false});
  cases.push_back({"options: strict source route behind nops",
                   options({1, 1, 1, 137, 7, 4, 10, 9, 9, 9, 0, 0}), "source-route", false});
  cases.push_back({"options: length zero", options({7, 0, 0, 0}), "malformed", false});
  cases.push_back({"options: longer than the header", options({7, 9, 0, 0}), "malformed", false});
  cases.push_back({"options: length byte outside", options({1, 1, 1, 7}), "malformed", false});
  cases.push_back({"version 6 in an IPv4 frame", v4({.version = 6}, Tcp(80)), "malformed", false});
  cases.push_back(
      {"total length above the frame", v4({.length_error = 1}, Tcp(80)), "truncated", false});
  cases.push_back({"total length cuts tcp", v4({.length_error = -1}, Tcp(80)), "truncated", false});
  cases.push_back(
      {"total length below the header", v4({.length_error = -21}, Tcp(80)), "malformed", false});
  cases.push_back({"cut inside the header", CutTo(v4({}, Tcp(80)), 33), "truncated", false});
  cases.push_back({"udp cut", v4({.protocol = 17}, CutTo(Udp(9), 7)), "truncated", false});
  cases.push_back({"sctp cut", v4({.protocol = 132}, CutTo(Sctp(80), 11)), "truncated", false});
  cases.push_back({"icmp cut", v4({.protocol = 1}, CutTo(Echo(8), 7)), "truncated", false});
  Bytes short_tcp = Tcp(80);
  short_tcp[12] = 0x40;
  cases.push_back({"tcp with four words", v4({}, short_tcp), "malformed", false});
}

void AddFragments(std::vector<FrameCase>& cases) {
  const auto v4 = [](const V4& v, const Bytes& payload) {
    return Ethernet(kV4) + Ipv4(v, payload);
  };
  cases.push_back({"first fragment, open port", v4({.fragment = 0x2000}, Tcp(80)), "web", true});
  cases.push_back(
      {"first fragment, closed port", v4({.fragment = 0x2000}, Tcp(81)), "default", false});
  cases.push_back({"first fragment too small for its ports",
                   v4({.fragment = 0x2000}, CutTo(Tcp(80), 8)), "truncated", false});
  cases.push_back(
      {"later fragment, ports matter", v4({.fragment = 0x2001}, Bytes(8, 0)), "fragment", false});
  cases.push_back(
      {"last fragment, ports matter", v4({.fragment = 0x00B9}, Bytes(8, 0)), "fragment", false});
  cases.push_back({"later fragment, every port allowed",
                   v4({.protocol = 17, .fragment = 0x00B9}, Bytes(8, 0)), "all-udp", true});
  cases.push_back({"later fragment, every port denied",
                   v4({.fragment = 0x00B9, .source_host = 66}, Bytes(8, 0)), "block", false});
  cases.push_back({"later fragment, protocol without ports",
                   v4({.protocol = 1, .fragment = 0x00B9}, Bytes(8, 0)), "ping", true});
  cases.push_back(
      {"do not fragment is no fragment", v4({.fragment = 0x4000}, Tcp(80)), "web", true});

  const auto v6 = [](const Bytes& payload) { return Ethernet(kV6) + Ipv6({.next = 44}, payload); };
  cases.push_back({"v6 atomic fragment", v6(Fragment(6, 0) + Tcp(80)), "web", true});
  cases.push_back({"v6 first fragment", v6(Fragment(6, 1) + Tcp(81)), "default", false});
  cases.push_back({"v6 later fragment, ports matter", v6(Fragment(6, 185 << 3) + Bytes(8, 0)),
                   "fragment", false});
  cases.push_back({"v6 later fragment, every port allowed",
                   v6(Fragment(17, 185 << 3) + Bytes(8, 0)), "all-udp", true});
  cases.push_back({"v6 later fragment of options", v6(Fragment(60, 185 << 3) + Bytes(8, 0)),
                   "fragment", false});
  cases.push_back({"v6 first fragment with headers behind the fragment header",
                   v6(Fragment(60, 1) + Options(6) + Tcp(80)), "fragment", false});
  cases.push_back({"v6 atomic fragment with headers behind the fragment header",
                   v6(Fragment(60, 0) + Options(6) + Tcp(80)), "web", true});
  cases.push_back({"v6 first fragment without its ports", v6(Fragment(6, 1) + CutTo(Tcp(80), 8)),
                   "truncated", false});
}

void AddIpv6Faults(std::vector<FrameCase>& cases) {
  const auto v6 = [](const V6& v, const Bytes& payload) {
    return Ethernet(kV6) + Ipv6(v, payload);
  };
  cases.push_back({"v6 hop-by-hop", v6({.next = 0}, Options(6) + Tcp(80)), "web", true});
  cases.push_back({"v6 long options", v6({.next = 60}, Options(6, 3) + Tcp(80)), "web", true});
  cases.push_back({"v6 authentication header", v6({.next = 51}, Ah(6) + Tcp(80)), "web", true});
  cases.push_back(
      {"v6 routing header used up", v6({.next = 43}, Routing(6, 0) + Tcp(80)), "web", true});
  cases.push_back({"v6 routing header in use", v6({.next = 43}, Routing(6, 1) + Tcp(80)),
                   "source-route", false});
  cases.push_back({"v6 eight extension headers",
                   v6({.next = 60}, Repeat(Options(60), 7) + Options(6) + Tcp(80)), "web", true});
  cases.push_back({"v6 nine extension headers",
                   v6({.next = 60}, Repeat(Options(60), 8) + Options(6) + Tcp(80)), "extensions",
                   false});
  cases.push_back({"v6 hop-by-hop behind another header",
                   v6({.next = 60}, Options(0) + Options(6) + Tcp(80)), "malformed", false});
  cases.push_back({"v6 extension cut", v6({.next = 60}, CutTo(Options(6), 7)), "truncated", false});
  cases.push_back(
      {"v6 extension leads outside", v6({.next = 60}, Options(6, 9)), "default", false});
  cases.back().frame = CutTo(cases.back().frame, 14 + 40 + 16);
  cases.back().decider = "truncated";
  cases.push_back({"v6 extension longer than the payload",
                   v6({.next = 60, .length_error = -8}, Options(6, 1) + Bytes(4, 0)), "truncated",
                   false});
  cases.push_back({"version 4 in an IPv6 frame", v6({.version = 4}, Tcp(80)), "malformed", false});
  cases.push_back(
      {"v6 payload above the frame", v6({.length_error = 1}, Tcp(80)), "truncated", false});
  cases.push_back({"v6 payload cuts tcp", v6({.length_error = -1}, Tcp(80)), "truncated", false});
  cases.push_back({"v6 cut inside the header", CutTo(v6({}, Tcp(80)), 53), "truncated", false});
}

void AddDiscovery(std::vector<FrameCase>& cases) {
  const auto message = [](std::uint8_t type, const Bytes& destination, const Bytes& target,
                          std::uint8_t hops = 255) {
    return Ethernet(kV6) + Ipv6({.next = 58, .hops = hops, .destination = destination},
                                Bytes{type, 0, 0, 0, 0, 0, 0, 0} + target);
  };
  const auto address = [](std::uint8_t first, std::uint8_t second, std::uint8_t last) {
    return Bytes{first, second} + Bytes(13, 0) + Bytes{last};
  };
  const Bytes all_nodes = address(0xFF, 0x02, 1);
  const Bytes all_routers = address(0xFF, 0x02, 2);
  const Bytes local = address(0xFE, 0x80, 7);
  const Bytes last_local = address(0xFE, 0xBF, 7);
  const Bytes server = V6Address(2, 10);
  const Bytes link_layer = {2, 1, 2, 0, 0, 0, 0, 1};

  cases.push_back(
      {"solicitation to many", message(135, all_nodes, server + link_layer), "neighbour", true});
  cases.push_back(
      {"solicitation of a link-local host", message(135, local, local), "neighbour", true});
  cases.push_back(
      {"solicitation of the host it goes to", message(135, server, server), "neighbour", true});
  cases.push_back(
      {"advertisement to a global address", message(136, server, local), "neighbour", true});
  cases.push_back({"advertisement to many", message(136, all_nodes, server), "neighbour", true});
  cases.push_back({"router solicitation", message(133, all_routers, {}), "neighbour", true});
  cases.push_back(
      {"router advertisement", message(134, all_nodes, Bytes(8, 0)), "neighbour", true});
  cases.push_back({"last link-local address", message(136, last_local, local), "neighbour", true});
  cases.push_back({"just behind the link-local addresses", message(133, address(0xFE, 0xC0, 7), {}),
                   "default", false});
  cases.push_back(
      {"many, beyond the link", message(133, address(0xFF, 0x05, 2), {}), "default", false});
  // "ping6" allows all of ICMPv6 to the server, so the decider is what tells.
  cases.push_back(
      {"solicitation of another host", message(135, server, V6Address(2, 11)), "ping6", true});
  cases.push_back(
      {"router solicitation to a global address", message(133, server, {}), "ping6", true});
  cases.push_back({"router advertisement to a global address", message(134, server, Bytes(8, 0)),
                   "ping6", true});
  cases.push_back({"largest advertisement to a global address",
                   message(136, server, local + Bytes(40, 0)), "neighbour", true});
  cases.push_back({"larger advertisement to a global address",
                   message(136, server, local + Bytes(41, 0)), "ping6", true});
  cases.push_back(
      {"advertisement without a target", message(136, server, Bytes(15, 0)), "ping6", true});
  cases.push_back({"solicitation that crossed a router", message(135, all_nodes, server, 254),
                   "default", false});
  cases.push_back(
      {"redirect is for the policy", message(137, all_nodes, server), "default", false});
}

}  // namespace

const char* const kPacketPolicy = R"(apiVersion: march/v1
kind: Policy
services:
  clients: { addresses: [10.1.0.0/16, "2001:db8:1::/48"] }
  bad: { addresses: [10.1.0.66] }
  servers: { addresses: [10.2.0.0/16, "2001:db8:2::/48"] }
mappings:
  web: { from: [clients], to: [servers], protocols: [tcp], ports: [80, 8000-8100] }
  all-udp: { from: [clients], to: [servers], protocols: [udp] }
  signalling: { from: [clients], to: [servers], protocols: [sctp], ports: [80] }
  ping: { from: [clients], to: [servers], protocols: [icmp] }
  ping6: { from: [clients], to: [servers], protocols: [icmpv6] }
  block: { from: [bad], action: deny, priority: 1 }
)";

std::vector<FrameCase> FrameCases() {
  std::vector<FrameCase> cases;
  AddPlain(cases);
  AddLinkLayer(cases);
  AddIpv4Faults(cases);
  AddFragments(cases);
  AddIpv6Faults(cases);
  AddDiscovery(cases);
  return cases;
}

}  // namespace march::tests

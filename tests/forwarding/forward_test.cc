// `forward: fast` through the generated program in the kernel: which frames it sends on, as which
// bytes, and which it leaves to the kernel.
#include <unistd.h>

#include <algorithm>
#include <catch2/catch.hpp>
#include <string>
#include <tuple>
#include <utility>
#include <vector>

#include "tests/forwarding/frame.h"
#include "tests/forwarding/hosts.h"

namespace march::tests {
namespace {

constexpr std::uint32_t kPass = 2;
constexpr std::uint32_t kRedirect = 4;
constexpr std::size_t kIp = 14;

const std::string kPolicy = R"(apiVersion: march/v1
kind: Policy
defaults: { action: allow }
services:
  bad: { addresses: [10.1.0.66, "2001:db8:1::66"] }
mappings:
  bad: { from: [bad], action: deny }
)";

const Bytes kEthernet4 = kInMac + Hex("020000000002 0800");
const Bytes kEthernet6 = kInMac + Hex("020000000002 86dd");
// 10.1.0.5 > 10.3.0.10
const Bytes kIpv4 = Hex("45b8 0000 1234 4000 4011 0000 0a010005 0a03000a");
const Bytes kIpv6 =
    Hex("6ab12345 0000 11 40 20010db8000100000000000000000005 20010db800030000000000000000000a");
const Bytes kUdp = Hex("d431 0035 000c 0000 deadbeef");
const Bytes kTcp = Hex("d431 0050 00001000 00002000 5018 ffff 0000 0000 6869");

Bytes Ipv4(const Bytes& layer_four = kUdp, std::uint8_t protocol = 17) {
  Bytes ip = kIpv4;
  ip.at(9) = protocol;
  return Whole(kEthernet4, ip, layer_four);
}

Bytes Ipv6(const Bytes& layer_four = kUdp, std::uint8_t protocol = 17) {
  Bytes ip = kIpv6;
  ip.at(6) = protocol;
  return Whole(kEthernet6, ip, layer_four);
}

// To 10.3.`net`.10.
Bytes Ipv4To(std::uint8_t net) {
  Bytes frame = Ipv4();
  frame.at(kIp + 18) = net;
  FixHeader(frame);
  return frame;
}

// The frame as the next hop gets it: by RFC 1812, 5.3.1, with the checksum computed anew.
Bytes Forwarded(const Bytes& frame) {
  const Bytes macs = kNextMac + kOutMac;
  Bytes forwarded = frame;
  std::copy(macs.begin(), macs.end(), forwarded.begin());
  if (frame.at(kIp) >> 4 == 6) {
    forwarded.at(kIp + 7) -= 1;
  } else {
    forwarded.at(kIp + 8) -= 1;
    FixHeader(forwarded);
  }
  return forwarded;
}

march_config Fast() {
  march_config config{};
  config.forward.fast = 1;
  return config;
}

std::string Out(const bpf::FrameResult& result) {
  return ToHex(Bytes(result.frame.begin(), result.frame.end()));
}

// What the program was told of routing: nothing, that it was plain until long ago, or that it is.
constexpr std::uint64_t kUnknown = 0;
constexpr std::uint64_t kExpired = 1;
constexpr std::uint64_t kPlain = ~0ULL;

// It forwards alike in each case, so that a test is run in each.
std::uint64_t AnyRouting() {
  return GENERATE(kUnknown, kExpired, kPlain);
}

// Of a next hop that nothing was sent to for a while, the first frame is the kernel's.
void Warm(Forwarder& forwarder) {
  static_cast<void>(forwarder.Run(Ipv4()));
}

struct World {
  explicit World(std::uint64_t plain_until) : forwarder(Fast()) {
    forwarder.plain_until = plain_until;
    forwarder.Enforce(kPolicy);
    Warm(forwarder);
  }
  // With other flags of the interfaces.
  World(std::uint64_t plain_until, std::uint32_t in, std::uint32_t out) : forwarder(Fast()) {
    forwarder.plain_until = plain_until;
    forwarder.in = in;
    forwarder.out = out;
    forwarder.Enforce(kPolicy);
    Warm(forwarder);
  }

  // It goes on, changed as it should be.
  bool Forwards(const Bytes& frame) { return Forwards(frame, Forwarded(frame)); }
  bool Forwards(const Bytes& frame, const Bytes& expected) {
    // A turn of the refresh may end between two frames.
    auto result = forwarder.Run(frame);
    if (result.xdp_action == kPass) result = forwarder.Run(frame);
    INFO(ToHex(frame));
    if (result.xdp_action != kRedirect) return false;
    CHECK(Out(result) == ToHex(expected));
    return true;
  }

  // It is left to the kernel as it came, for this reason.
  bool Leaves(const Bytes& frame, march_statistic why) {
    const std::uint64_t before = forwarder.gateway().Statistic(why);
    const auto result = forwarder.Run(frame);
    INFO(ToHex(frame));
    CHECK(Out(result) == ToHex(frame));
    return result.xdp_action == kPass && forwarder.gateway().Statistic(why) == before + 1;
  }

  Forwarder forwarder;
};

TEST_CASE("what may pass goes to the next hop, one hop older") {
  World world(AnyRouting());
  for (const Bytes& frame :
       {Ipv4(), Ipv4(kTcp, 6), Ipv4(Hex("0800 0000 0001 0001"), 1), Ipv4(Bytes(1400, 0x5A), 99),
        Ipv6(), Ipv6(kTcp, 6), Ipv6(Hex("8000 0000 0001 0001"), 58), Ipv6(Bytes(1400, 0x5A), 99)}) {
    CHECK(world.Forwards(frame));
  }
  CHECK(world.forwarder.gateway().Statistic(MARCH_STATISTIC_FORWARDED) >= 8);
}

TEST_CASE("what may not pass is dropped, and what is no packet of the policy's is the kernel's") {
  World world(AnyRouting());
  Bytes bad = Ipv4();
  bad.at(kIp + 15) = 66;
  FixHeader(bad);
  const auto forwarded = world.forwarder.gateway().Statistic(MARCH_STATISTIC_FORWARDED);
  CHECK(world.forwarder.Run(bad).xdp_action == 1);
  const Bytes arp =
      Hex("ffffffffffff 020000000002 0806 0001080006040001020000000002 0a010005 000000000000 "
          "0a010001");
  CHECK(world.forwarder.Run(arp).xdp_action == kPass);
  CHECK(world.forwarder.gateway().Statistic(MARCH_STATISTIC_FORWARDED) == forwarded);
}

TEST_CASE("the checksum is right after every header, and zero is written as RFC 1624 says") {
  World world(AnyRouting());
  for (unsigned id = 0; id < 0x10000; id += 7) {
    Bytes frame = Ipv4();
    frame.at(kIp + 4) = static_cast<std::uint8_t>(id >> 8);
    frame.at(kIp + 5) = static_cast<std::uint8_t>(id);
    FixHeader(frame);
    REQUIRE(world.Forwards(frame));
  }
  // All checksums near the carry, by the identification that brings them about.
  for (unsigned sum = 0xFDF0; sum <= 0xFFFF; ++sum) {
    Bytes frame = Ipv4();
    frame.at(kIp + 4) = 0;
    frame.at(kIp + 5) = 0;
    FixHeader(frame);
    const unsigned now = frame.at(kIp + 10) * 256U + frame.at(kIp + 11);
    const unsigned id = (now + 0xFFFF - sum) % 0xFFFF;
    frame.at(kIp + 4) = static_cast<std::uint8_t>(id >> 8);
    frame.at(kIp + 5) = static_cast<std::uint8_t>(id);
    FixHeader(frame);
    REQUIRE(world.Forwards(frame));
  }
}

TEST_CASE("fragments go on like whole packets") {
  World world(AnyRouting());
  for (const unsigned offset : {0x2000U, 0x2001U, 0x0002U}) {
    Bytes frame = Ipv4();
    frame.at(kIp + 6) = static_cast<std::uint8_t>(offset >> 8);
    frame.at(kIp + 7) = static_cast<std::uint8_t>(offset);
    FixHeader(frame);
    CHECK(world.Forwards(frame));
  }
  CHECK(world.Forwards(Ipv6(Hex("1100 0001 00000007") + kUdp, 44)));
}

TEST_CASE("the end of a TTL or hop limit is the kernel's to tell") {
  World world(AnyRouting());
  for (const std::uint8_t ttl : Bytes{0, 1}) {
    Bytes four = Ipv4();
    four.at(kIp + 8) = ttl;
    FixHeader(four);
    CHECK(world.Leaves(four, MARCH_STATISTIC_KERNEL_TTL));
    Bytes six = Ipv6();
    six.at(kIp + 7) = ttl;
    CHECK(world.Leaves(six, MARCH_STATISTIC_KERNEL_TTL));
  }
  Bytes last = Ipv4();
  last.at(kIp + 8) = 2;
  FixHeader(last);
  CHECK(world.Forwards(last));
}

TEST_CASE("what is larger than the route's MTU is the kernel's to cut or to refuse") {
  World world(AnyRouting());
  Ip("route add 10.3.7.0/24 via 10.2.0.9 mtu lock 1000");
  Ip("-6 route add 2001:db8:3:7::/64 via 2001:db8:2::9 mtu lock 1280");
  const auto to_small = [](Bytes frame) {
    if (frame.at(kIp) >> 4 == 6) {
      frame.at(kIp + 31) = 7;
    } else {
      frame.at(kIp + 18) = 7;
      FixHeader(frame);
    }
    return frame;
  };
  CHECK(world.Forwards(to_small(Ipv4(Bytes(980, 1), 99))));
  CHECK(world.Leaves(to_small(Ipv4(Bytes(981, 1), 99)), MARCH_STATISTIC_KERNEL_MTU));
  CHECK(world.Forwards(to_small(Ipv6(Bytes(1240, 1), 99))));
  CHECK(world.Leaves(to_small(Ipv6(Bytes(1241, 1), 99)), MARCH_STATISTIC_KERNEL_MTU));
  CHECK(world.Forwards(Ipv4(Bytes(1480, 1), 99)));
  CHECK(world.Leaves(Ipv4(Bytes(1481, 1), 99), MARCH_STATISTIC_KERNEL_MTU));
  Ip("route del 10.3.7.0/24");
  Ip("-6 route del 2001:db8:3:7::/64");
}

TEST_CASE("a next hop that is not known yet is the kernel's to find") {
  World world(AnyRouting());
  Ip("route add 10.3.8.0/24 via 10.2.0.77");
  Ip("-6 route add 2001:db8:3:8::/64 via 2001:db8:2::77");
  const Bytes four = Ipv4To(8);
  Bytes six = Ipv6();
  six.at(kIp + 31) = 8;
  CHECK(world.Leaves(four, MARCH_STATISTIC_KERNEL_NEIGHBOUR));
  CHECK(world.Leaves(six, MARCH_STATISTIC_KERNEL_NEIGHBOUR));
  // Asked for and not found: nothing to send to either.
  Ip("neighbour add 10.2.0.77 nud incomplete dev out");
  CHECK(world.Leaves(four, MARCH_STATISTIC_KERNEL_NEIGHBOUR));
  Ip("neighbour replace 10.2.0.77 lladdr 02:00:00:00:00:bb nud reachable dev out");
  CHECK(world.Forwards(four));
  Ip("neighbour del 10.2.0.77 dev out");
  Ip("route del 10.3.8.0/24");
  Ip("-6 route del 2001:db8:3:8::/64");
}

TEST_CASE("a next hop of the other family is sent to as any") {
  World world(AnyRouting());
  Ip("route add 10.3.9.0/24 via inet6 2001:db8:2::9 dev out");
  CHECK(world.Forwards(Ipv4To(9)));
  Ip("route del 10.3.9.0/24");
}

TEST_CASE("to the gateway itself, nowhere, and where it is forbidden") {
  World world(AnyRouting());
  const auto to = [](Bytes frame, const std::string& address) {
    const Bytes bytes = Hex(address);
    std::copy(bytes.begin(), bytes.end(), frame.begin() + kIp + (bytes.size() == 4 ? 16 : 24));
    if (bytes.size() == 4) FixHeader(frame);
    return frame;
  };
  for (const char* address : {"0a02ff01", "0a02ffff", "0a090909"}) {
    CHECK(world.Leaves(to(Ipv4(), address), MARCH_STATISTIC_KERNEL_LOCAL));
  }
  for (const char* address :
       {"20010db80002ffff0000000000000001", "20010db8000900000000000000000001"}) {
    CHECK(world.Leaves(to(Ipv6(), address), MARCH_STATISTIC_KERNEL_LOCAL));
  }
  Ip("route add blackhole 10.8.0.0/16");
  Ip("route add prohibit 10.7.0.0/16");
  Ip("route add unreachable 10.6.0.0/16");
  for (const char* address : {"0a080001", "0a070001", "0a060001"}) {
    CHECK(world.Leaves(to(Ipv4(), address), MARCH_STATISTIC_KERNEL_LOCAL));
  }
  for (const char* route : {"10.8.0.0/16", "10.7.0.0/16", "10.6.0.0/16"}) {
    Ip(std::string("route del ") + route);
  }
  for (const char* family : {"ipv4", "ipv6"}) {
    Sysctl(std::string(family) + "/conf/lo/forwarding", "0");
  }
  CHECK(world.Leaves(Ipv4(), MARCH_STATISTIC_KERNEL_DISABLED));
  CHECK(world.Leaves(Ipv6(), MARCH_STATISTIC_KERNEL_DISABLED));
  for (const char* family : {"ipv4", "ipv6"}) {
    Sysctl(std::string(family) + "/conf/lo/forwarding", "1");
  }
  CHECK(world.Forwards(Ipv4()));
  CHECK(world.Forwards(Ipv6()));
}

TEST_CASE("addresses that are never forwarded") {
  World world(AnyRouting());
  Ip("route add 169.254.0.0/16 via 10.2.0.9");
  for (const char* address : {"a9fe0001", "e0000005", "ffffffff", "7f000001", "00000001"}) {
    for (const std::size_t at : {12U, 16U}) {
      Bytes frame = Ipv4();
      const Bytes bytes = Hex(address);
      std::copy(bytes.begin(), bytes.end(), frame.begin() + kIp + static_cast<int>(at));
      FixHeader(frame);
      CHECK(world.Leaves(frame, MARCH_STATISTIC_KERNEL_ADDRESS));
    }
  }
  for (const char* address :
       {"fe800000000000000000000000000001", "ff0e0000000000000000000000000001",
        "00000000000000000000000000000001", "00000000000000000000ffff0a030001"}) {
    for (const std::size_t at : {8U, 24U}) {
      Bytes frame = Ipv6();
      const Bytes bytes = Hex(address);
      std::copy(bytes.begin(), bytes.end(), frame.begin() + kIp + static_cast<int>(at));
      CHECK(world.Leaves(frame, MARCH_STATISTIC_KERNEL_ADDRESS));
    }
  }
  // To another MAC, to all, to many.
  for (const char* mac : {"020000000003", "ffffffffffff", "01005e000001"}) {
    Bytes frame = Ipv4();
    const Bytes bytes = Hex(mac);
    std::copy(bytes.begin(), bytes.end(), frame.begin());
    CHECK(world.Leaves(frame, MARCH_STATISTIC_KERNEL_ADDRESS));
  }
  Ip("route del 169.254.0.0/16");
}

TEST_CASE("headers that are the kernel's") {
  World world(AnyRouting());
  Bytes options =
      Whole(kEthernet4, Hex("46000000 12344000 40110000 0a010005 0a03000a 01010100"), kUdp);
  CHECK(world.Leaves(options, MARCH_STATISTIC_KERNEL_HEADERS));
  for (const char* tag : {"8100 0064", "88a8 0064"}) {
    Bytes tagged = Ipv4();
    const Bytes bytes = Hex(tag);
    tagged.insert(tagged.begin() + 12, bytes.begin(), bytes.end());
    CHECK(world.Leaves(tagged, MARCH_STATISTIC_KERNEL_HEADERS));
  }
  CHECK(world.Leaves(Ipv6(Hex("1100 0502 00000100") + kUdp, 0), MARCH_STATISTIC_KERNEL_HEADERS));
  CHECK(world.Forwards(Ipv6(Hex("1100 0104 00000000") + kUdp, 60)));
  Bytes wrong = Ipv4();
  wrong.at(kIp + 10) ^= 1;
  CHECK(world.Leaves(wrong, MARCH_STATISTIC_KERNEL_HEADERS));
  // Filled up to the least that Ethernet has, and beyond.
  Bytes padded = Ipv4();
  padded.resize(60, 0xEE);
  CHECK(world.Forwards(padded));
  padded.resize(61, 0xEE);
  CHECK(world.Leaves(padded, MARCH_STATISTIC_KERNEL_HEADERS));
  Bytes trailer = Ipv4(Bytes(100, 1), 99);
  trailer.push_back(0);
  CHECK(world.Leaves(trailer, MARCH_STATISTIC_KERNEL_HEADERS));
}

TEST_CASE("interfaces that are not fast") {
  const std::uint64_t routing = AnyRouting();
  const std::uint32_t fast = MARCH_INTERFACE_FAST;
  const std::uint32_t transmits = MARCH_INTERFACE_TRANSMITS;
  CHECK(World(routing, 0, fast | transmits).Leaves(Ipv4(), MARCH_STATISTIC_KERNEL_INTERFACE));
  CHECK(World(routing, fast, 0).Leaves(Ipv4(), MARCH_STATISTIC_KERNEL_INTERFACE));
  CHECK(World(routing, fast, fast).Leaves(Ipv4(), MARCH_STATISTIC_KERNEL_INTERFACE));
  CHECK(World(routing, fast, fast | transmits).Forwards(Ipv4()));
}

// A checksum as it stands before somebody computes it: the sum over the pseudo header alone.
Bytes Unfinished(Bytes frame) {
  const bool is_v6 = frame.at(kIp) >> 4 == 6;
  const std::size_t l4 = kIp + (is_v6 ? 40 : 20);
  const std::uint8_t protocol = frame.at(kIp + (is_v6 ? 6 : 9));
  const auto begin = frame.begin() + kIp;
  Bytes covered = is_v6 ? Bytes(begin + 8, begin + 40) : Bytes(begin + 12, begin + 20);
  const std::size_t bytes = frame.size() - l4;
  covered = covered + Bytes{0, protocol, static_cast<std::uint8_t>(bytes >> 8),
                            static_cast<std::uint8_t>(bytes)};
  const auto sum = static_cast<std::uint16_t>(~Checksum(covered));
  const std::size_t at = l4 + (protocol == 6 ? 16 : 6);
  frame.at(at) = static_cast<std::uint8_t>(sum >> 8);
  frame.at(at + 1) = static_cast<std::uint8_t>(sum);
  return frame;
}

TEST_CASE("checksums that are yet to be computed are the kernel's, where frames come from here") {
  const std::uint64_t routing = AnyRouting();
  World local(routing, MARCH_INTERFACE_FAST | MARCH_INTERFACE_LOCAL,
              MARCH_INTERFACE_FAST | MARCH_INTERFACE_TRANSMITS);
  World wire(routing);
  for (const Bytes& frame : {Ipv4(), Ipv4(kTcp, 6), Ipv6(), Ipv6(kTcp, 6)}) {
    CHECK(local.Forwards(frame));
    CHECK(local.Leaves(Unfinished(frame), MARCH_STATISTIC_KERNEL_CHECKSUM));
    CHECK(wire.Forwards(Unfinished(frame)));
  }
  CHECK(local.Leaves(Ipv4(Bytes(60, 1), 47), MARCH_STATISTIC_KERNEL_CHECKSUM));
  CHECK(wire.Forwards(Ipv4(Bytes(60, 1), 47)));
  CHECK(local.Forwards(Ipv4(Hex("0800 0000 0001 0001"), 1)));
}

TEST_CASE("sources are validated where the kernel would") {
  const std::uint64_t routing = AnyRouting();
  const std::uint32_t out = MARCH_INTERFACE_FAST | MARCH_INTERFACE_TRANSMITS;
  World strict(routing, MARCH_INTERFACE_FAST | MARCH_INTERFACE_STRICT, out);
  World loose(routing, MARCH_INTERFACE_FAST | MARCH_INTERFACE_LOOSE, out);
  // Back to 10.1.0.5 there is no way, then one by another interface, then the very one.
  CHECK(strict.Leaves(Ipv4(), MARCH_STATISTIC_KERNEL_SOURCE));
  CHECK(loose.Leaves(Ipv4(), MARCH_STATISTIC_KERNEL_SOURCE));
  Ip("route add 10.1.0.0/16 via 10.2.0.9");
  CHECK(strict.Leaves(Ipv4(), MARCH_STATISTIC_KERNEL_SOURCE));
  CHECK(loose.Forwards(Ipv4()));
  Ip("route replace 10.1.0.0/16 dev lo");
  CHECK(strict.Forwards(Ipv4()));
  CHECK(loose.Forwards(Ipv4()));
  // What is known of one source, and of the way out, says nothing of another.
  Bytes other = Ipv4();
  other.at(kIp + 13) = 9;
  FixHeader(other);
  for (int i = 0; i < 20; ++i) {
    CHECK(strict.Forwards(Ipv4()));
    CHECK(strict.Leaves(other, MARCH_STATISTIC_KERNEL_SOURCE));
    CHECK(loose.Forwards(Ipv4()));
    CHECK(loose.Leaves(other, MARCH_STATISTIC_KERNEL_SOURCE));
  }
  Ip("route add 10.9.0.0/16 dev out");
  CHECK(strict.Leaves(other, MARCH_STATISTIC_KERNEL_SOURCE));
  CHECK(loose.Forwards(other));
  Ip("route del 10.9.0.0/16");
  Ip("route del 10.1.0.0/16");
}

TEST_CASE("a way out of the other family says nothing of the way back") {
  Ip("route add 10.3.9.0/24 via inet6 2001:db8:2::9 dev out");
  Ip("-6 route add default via 2001:db8:2::9");
  const std::uint64_t routing = AnyRouting();
  World loose(routing, MARCH_INTERFACE_FAST | MARCH_INTERFACE_LOOSE,
              MARCH_INTERFACE_FAST | MARCH_INTERFACE_TRANSMITS);
  for (int i = 0; i < 3; ++i) CHECK(loose.Leaves(Ipv4To(9), MARCH_STATISTIC_KERNEL_SOURCE));
  Ip("route add 10.1.0.0/16 dev lo");
  CHECK(loose.Forwards(Ipv4To(9)));
  Ip("route del 10.1.0.0/16");
  Ip("-6 route del default");
  Ip("route del 10.3.9.0/24");
}

TEST_CASE("the kernel sees one packet each few seconds, so that it keeps the next hop") {
  World world(GENERATE(kUnknown, kPlain));
  std::uint64_t refreshed = 0;
  std::uint64_t forwarded = 0;
  for (int i = 0; i < 60; ++i) {
    usleep(100'000);
    const std::uint64_t before =
        world.forwarder.gateway().Statistic(MARCH_STATISTIC_KERNEL_REFRESH);
    const auto result = world.forwarder.Run(Ipv4());
    const std::uint64_t more =
        world.forwarder.gateway().Statistic(MARCH_STATISTIC_KERNEL_REFRESH) - before;
    CHECK((result.xdp_action == kPass) == (more == 1));
    refreshed += more;
    forwarded += result.xdp_action == kRedirect ? 1U : 0U;
  }
  // Six seconds are one turn or two of 4.3 seconds.
  CHECK(refreshed >= 1);
  CHECK(refreshed <= 2);
  CHECK(forwarded + refreshed == 60);
}

// As a rule or a route may tell packets apart: each differs in one field from what goes on.
TEST_CASE("what the kernel said of one connection is not said of another") {
  struct Case {
    const char* rule;
    std::size_t at;     // in the IP packet
    const char* bytes;  // other than in the frame that goes on
  };
  const std::vector<Case> ipv4 = {{"from 10.1.0.6", 15, "06"}, {"to 10.3.0.11", 19, "0b"},
                                  {"tos 0x10", 1, "10"},       {"ipproto sctp", 9, "84"},
                                  {"sport 54322", 21, "32"},   {"dport 54", 23, "36"}};
  // One has the same words in its source, in another order.
  const std::vector<Case> ipv6 = {{"from 2001:db8:1::6", 23, "06"},
                                  {"to 2001:db8:3::b", 39, "0b"},
                                  {"from 2001:db8:0:1::5", 12, "00000001"},
                                  {"tos 0x10", 0, "6100"},
                                  {"ipproto sctp", 6, "84"},
                                  {"sport 54322", 41, "32"},
                                  {"dport 54", 43, "36"}};
  World world(GENERATE(kUnknown, kExpired));
  const auto try_all = [&](const std::string& family, const Bytes& known,
                           const std::vector<Case>& cases) {
    for (const Case& one : cases) {
      Ip(family + " rule add " + one.rule + " prohibit");
      Bytes other = known;
      const Bytes bytes = Hex(one.bytes);
      std::copy(bytes.begin(), bytes.end(),
                other.begin() + static_cast<std::ptrdiff_t>(kIp + one.at));
      if (family == "-4") FixHeader(other);
      INFO(family << " " << one.rule);
      for (int i = 0; i < 20; ++i) {
        CHECK(world.Forwards(known));
        CHECK(world.Leaves(other, MARCH_STATISTIC_KERNEL_LOCAL));
      }
      Ip(family + " rule del " + one.rule + " prohibit");
    }
  };
  try_all("-4", Ipv4(), ipv4);
  try_all("-6", Ipv6(), ipv6);
}

TEST_CASE("what the kernel said holds for a third of a second at most") {
  World world(GENERATE(kUnknown, kPlain));
  Ip("route add 10.3.6.0/24 via 10.2.0.9");
  const Bytes frame = Ipv4To(6);
  unsigned used_again = 0;
  for (int i = 0; i < 5; ++i) {
    Ip("route replace 10.3.6.0/24 via 10.2.0.9");
    usleep(400'000);
    CHECK(world.Forwards(frame));
    Ip("route replace prohibit 10.3.6.0/24");
    used_again += world.forwarder.Run(frame).xdp_action == kRedirect ? 1U : 0U;
    usleep(400'000);
    CHECK(world.Leaves(frame, MARCH_STATISTIC_KERNEL_LOCAL));
  }
  // A turn may end at any time, but not each time.
  CHECK(used_again >= 1);
  Ip("route del 10.3.6.0/24");
}

TEST_CASE("a packet that is too large says nothing of those that are not") {
  World world(AnyRouting());
  for (int i = 0; i < 3; ++i) {
    CHECK(world.Forwards(Ipv4(Bytes(100, 1), 99)));
    CHECK(world.Leaves(Ipv4(Bytes(1481, 1), 99), MARCH_STATISTIC_KERNEL_MTU));
    CHECK(world.Forwards(Ipv4(Bytes(1480, 1), 99)));
    CHECK(world.Forwards(Ipv6(Bytes(100, 1), 99)));
    CHECK(world.Leaves(Ipv6(Bytes(1461, 1), 99), MARCH_STATISTIC_KERNEL_MTU));
    CHECK(world.Forwards(Ipv6(Bytes(1460, 1), 99)));
  }
}

// More than there are places for at a time, which differ in nothing but 16 bits. The first of those
// says by which next hop they go.
TEST_CASE("ten thousand connections at once go each its own way") {
  struct Case {
    const char* rule;
    std::size_t at;  // in the IP packet
  };
  World world(GENERATE(kUnknown, kExpired));
  const auto try_all = [&](const std::string& family, const Bytes& frame,
                           const std::vector<Case>& cases) {
    const std::string next = family == "-4" ? "10.2.0.10" : "2001:db8:2::10";
    Ip(family + " neighbour replace " + next + " lladdr 02:00:00:00:00:cc dev out");
    Ip(family + " route add default via " + next + " table 77");
    for (const Case& one : cases) {
      INFO(family << " " << one.rule);
      Ip(family + " rule add " + one.rule + " table 77");
      for (unsigned i = 1; i <= 10'000; ++i) {
        const unsigned number = i * 40503U % 0xFFFFU;
        Bytes other = frame;
        other.at(kIp + one.at) = static_cast<std::uint8_t>(number >> 8);
        other.at(kIp + one.at + 1) = static_cast<std::uint8_t>(number);
        if (family == "-4") FixHeader(other);
        Bytes expected = Forwarded(other);
        if (number >= 0x8000) expected.at(5) = 0xCC;
        REQUIRE(world.Forwards(other, expected));
      }
      Ip(family + " rule del " + one.rule + " table 77");
    }
    Ip(family + " route del default table 77");
    Ip(family + " neighbour del " + next + " dev out");
  };
  try_all("-4", Ipv4(),
          {{"from 10.1.128.0/17", 14},
           {"to 10.3.128.0/17", 18},
           {"sport 32768-65534", 20},
           {"dport 32768-65534", 22}});
  Ip("-6 route add default via 2001:db8:2::9");
  try_all("-6", Ipv6(),
          {{"from 2001:8000::/17", 10},
           {"from 2001:db8:8000::/33", 12},
           {"from 2001:db8:1:0:8000::/65", 16},
           {"from 2001:db8:1::8000:0/97", 20},
           {"to 2001:8000::/17", 26},
           {"to 2001:db8:8000::/33", 28},
           {"to 2001:db8:3:0:8000::/65", 32},
           {"to 2001:db8:3::8000:0/97", 36},
           {"sport 32768-65534", 40},
           {"dport 32768-65534", 42}});
  Ip("-6 route del default");
}

// Of 10.1.0.5 to 10.3.0.10 the kernel has just been asked. The program is told of no rule here, so
// whether one is heeded says whether the kernel is asked again.
TEST_CASE("where routing is plain, one answer serves all packets to an address and no others") {
  World world(kPlain);
  Ip("-6 neighbour replace 2001:db8:2::9 lladdr 02:00:00:00:00:bb dev out");
  const auto other_than = [](Bytes frame, std::size_t at, std::uint8_t value) {
    frame.at(kIp + at) = value;
    if (frame.at(kIp) >> 4 == 4) FixHeader(frame);
    return frame;
  };
  // Whether one of five goes where the rule forbids. A turn may end in between, but not each time.
  const auto goes_past = [&](const std::string& rule, const Bytes& known, const Bytes& other) {
    bool went = false;
    for (int i = 0; i < 5 && !went; ++i) {
      CHECK(world.Forwards(known));
      Ip(rule.substr(0, 2) + " rule add " + rule.substr(3) + " prohibit");
      went = world.forwarder.Run(other).xdp_action == kRedirect;
      Ip(rule.substr(0, 2) + " rule del " + rule.substr(3) + " prohibit");
    }
    return went;
  };
  CHECK(goes_past("-4 from 10.1.0.6", Ipv4(), other_than(Ipv4(), 15, 6)));
  CHECK(goes_past("-4 dport 54", Ipv4(), other_than(Ipv4(), 23, 54)));
  CHECK(goes_past("-4 ipproto sctp", Ipv4(), other_than(Ipv4(), 9, 132)));
  CHECK(goes_past("-6 from 2001:db8:1::6", Ipv6(), other_than(Ipv6(), 23, 6)));
  CHECK(goes_past("-6 dport 54", Ipv6(), other_than(Ipv6(), 43, 54)));
  // Another flow label, by which only newer kernels than this one may route.
  CHECK(goes_past("-6 dport 54", Ipv6(), other_than(other_than(Ipv6(), 3, 0), 43, 54)));
  CHECK_FALSE(goes_past("-4 to 10.3.0.11", Ipv4(), other_than(Ipv4(), 19, 11)));
  CHECK_FALSE(goes_past("-4 tos 0x10", Ipv4(), other_than(Ipv4(), 1, 0x10)));
  CHECK_FALSE(goes_past("-6 to 2001:db8:3::b", Ipv6(), other_than(Ipv6(), 39, 11)));
  CHECK_FALSE(goes_past("-6 tos 0x10", Ipv6(), other_than(other_than(Ipv6(), 0, 0x61), 1, 0)));
}

TEST_CASE("without forward, every packet is the kernel's and none is counted") {
  march_config config{};
  config.reject.interval = 1;
  Forwarder forwarder(config);
  forwarder.Enforce(kPolicy);
  const auto result = forwarder.Run(Ipv4());
  CHECK(result.xdp_action == kPass);
  CHECK(Out(result) == ToHex(Ipv4()));
  CHECK(forwarder.gateway().Statistic(MARCH_STATISTIC_FORWARDED) == 0);
}

}  // namespace
}  // namespace march::tests

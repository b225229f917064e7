// SYN cookies, byte for byte: who has to prove that it is real, how, and for what.
#include <algorithm>
#include <catch2/catch.hpp>
#include <string>
#include <utility>
#include <vector>

#include "bundle/limit.h"
#include "tests/forwarding/frame.h"
#include "tests/forwarding/hosts.h"

namespace march::tests {
namespace {

constexpr std::uint32_t kDrop = 1;
constexpr std::uint32_t kPass = 2;
constexpr std::uint32_t kTransmit = 3;

const std::string kPolicy = R"(apiVersion: march/v1
kind: Policy
services: { servers: { addresses: [10.3.0.0/16, "2001:db8:3::/48"] } }
mappings:
  web: { to: [servers], protocols: [tcp], ports: [80] }
)";

// `above` new connections a second from sources without proof; 0: none.
march_config Proving(std::uint64_t above) {
  march_config config{};
  config.limits.lines = 64;
  config.abuse.cookies.lines = 64;
  config.abuse.cookies.remember = MARCH_TICKS(60U);
  march_limit& limit = config.abuse.cookies.unproven;
  if (above == 0) return config;
  limit.rate = 1;
  limit.burst = above;
  limit.per = MARCH_LIMIT_PER_MAPPING;
  bundle::CompleteLimit("abuse test", limit);
  return config;
}

// One end of a connection behind the gateway's first interface, and its server.
struct Ends {
  Bytes there;  // Ethernet and IP headers
  Bytes back;
  Bytes answer;  // as the gateway answers
};

std::vector<Ends> BothFamilies() {
  const Bytes to4 = kInMac + Hex("020000000002 0800");
  const Bytes from4 = Hex("020000000002") + kInMac + Hex("0800");
  const Bytes to6 = kInMac + Hex("020000000002 86dd");
  const Bytes from6 = Hex("020000000002") + kInMac + Hex("86dd");
  const Bytes a6 = Hex("20010db8000100000000000000000005");
  const Bytes b6 = Hex("20010db800030000000000000000000a");
  return {{to4 + Hex("4500 0000 1234 4000 3706 0000 0a010005 0a03000a"),
           to4 + Hex("4500 0000 1234 4000 3706 0000 0a03000a 0a010005"),
           from4 + Hex("4500 0000 0000 4000 4006 0000 0a03000a 0a010005")},
          {to6 + Hex("60000000 0000 06 37") + a6 + b6, to6 + Hex("60000000 0000 06 37") + b6 + a6,
           from6 + Hex("60000000 0000 06 40") + b6 + a6}};
}

std::uint32_t Number(const Bytes& bytes, std::size_t at) {
  return static_cast<std::uint32_t>(bytes.at(at)) << 24 |
         static_cast<std::uint32_t>(bytes.at(at + 1)) << 16 |
         static_cast<std::uint32_t>(bytes.at(at + 2)) << 8 | bytes.at(at + 3);
}

Bytes Big(std::uint32_t number) {
  return {static_cast<std::uint8_t>(number >> 24), static_cast<std::uint8_t>(number >> 16),
          static_cast<std::uint8_t>(number >> 8), static_cast<std::uint8_t>(number)};
}

// Of a connection whose port at its opener ends so.
Bytes There(const Ends& ends, std::uint8_t port, std::uint32_t sequence, std::uint32_t acknowledged,
            std::uint8_t flags, const Bytes& options = {}) {
  const auto offset = static_cast<std::uint8_t>((20 + options.size()) / 4 << 4);
  const Bytes headers(ends.there.begin() + 14, ends.there.end());
  return Whole(Bytes(ends.there.begin(), ends.there.begin() + 14), headers,
               Bytes{0xd4, port, 0, 80} + Big(sequence) + Big(acknowledged) +
                   Bytes{offset, flags, 0xff, 0xff, 0, 0, 0, 0} + options);
}
Bytes Back(const Ends& ends, std::uint8_t port, std::uint32_t sequence, std::uint32_t acknowledged,
           std::uint8_t flags) {
  const Bytes headers(ends.back.begin() + 14, ends.back.end());
  return Whole(Bytes(ends.back.begin(), ends.back.begin() + 14), headers,
               Bytes{0, 80, 0xd4, port} + Big(sequence) + Big(acknowledged) +
                   Bytes{0x50, flags, 0xff, 0xff, 0, 0, 0, 0});
}

constexpr std::uint8_t kSyn = 0x02;
constexpr std::uint8_t kAck = 0x10;

struct World {
  explicit World(std::uint64_t above) : forwarder(Proving(above)) { forwarder.Enforce(kPolicy); }

  std::uint32_t Action(const Bytes& frame) { return forwarder.Run(frame).xdp_action; }
  Bytes Answer(const Bytes& frame) {
    const auto result = forwarder.Run(frame);
    REQUIRE(result.xdp_action == kTransmit);
    Bytes answer(result.frame.begin(), result.frame.end());
    CHECK(Faults(answer).empty());
    return answer;
  }
  std::uint64_t Statistic(march_statistic which) { return forwarder.gateway().Statistic(which); }

  Forwarder forwarder;
};

// What a SYN with this sequence number is answered with; its own number is the cookie.
std::uint32_t CheckCookie(World& world, const Ends& ends, std::uint8_t port,
                          std::uint32_t sequence) {
  const Bytes answer = world.Answer(
      There(ends, port, sequence, 0, kSyn, Hex("020405b4 0402080a 00000000 00000000 01030307")));
  const std::size_t tcp = ends.answer.size();
  const std::uint32_t cookie = Number(answer, tcp + 4);
  const Bytes headers(ends.answer.begin() + 14, ends.answer.end());
  Bytes expected = Whole(
      Bytes(ends.answer.begin(), ends.answer.begin() + 14), headers,
      Bytes{0, 80, 0xd4, port} + Big(cookie) + Big(sequence + 1) + Hex("5012 0000 0000 0000"));
  expected.resize(std::max<std::size_t>(expected.size(), 60), 0);
  CHECK(ToHex(answer) == ToHex(expected));
  return cookie;
}

TEST_CASE("who gives its cookie back is reset once, and then lets through") {
  for (const Ends& ends : BothFamilies()) {
    World world(0);
    const std::uint32_t cookie = CheckCookie(world, ends, 0x31, 0x1000);
    CHECK(world.forwarder.gateway().Fresh() == 0);
    const Bytes reset = world.Answer(There(ends, 0x31, 0x1001, cookie + 1, kAck));
    const std::size_t tcp = ends.answer.size();
    CHECK(Number(reset, tcp + 4) == cookie + 1);
    CHECK(reset.at(tcp + 13) == 0x04);
    // Any connection of the source's, at once.
    CHECK(world.Action(There(ends, 0x32, 0x5000, 0, kSyn)) == kPass);
    CHECK(world.forwarder.gateway().Fresh() == 1);
    CHECK(world.forwarder.gateway().Counted("web") == 1);
    CHECK(world.forwarder.gateway().Counted("cookie") == 2);
    CHECK(world.Statistic(MARCH_STATISTIC_COOKIES_SENT) == 1);
    CHECK(world.Statistic(MARCH_STATISTIC_COOKIES_RETURNED) == 1);
  }
}

TEST_CASE("who has not seen the answer proves nothing") {
  for (const Ends& ends : BothFamilies()) {
    World world(0);
    // Each is one guess: what follows belongs to the connection that it has begun.
    std::uint8_t port = 0x31;
    for (const std::uint32_t wrong : {0U, 2U, 3U, 0x80000001U}) {
      const std::uint32_t cookie = CheckCookie(world, ends, port, 0x1000);
      CHECK(world.Action(There(ends, port++, 0x1001, cookie + wrong, kAck)) == kPass);
    }
    // Nor is one connection's number another's.
    const std::uint32_t cookie = CheckCookie(world, ends, port, 0x1000);
    CHECK(world.Action(There(ends, 0x22, 0x1001, cookie + 1, kAck)) == kPass);
    CHECK(world.Action(There(ends, 0x23, 0x5000, 0, kSyn)) == kTransmit);
    CHECK(world.Statistic(MARCH_STATISTIC_COOKIES_RETURNED) == 0);
  }
}

TEST_CASE("only what the policy allows is answered, and only at the gateway's own address") {
  const Ends ends = BothFamilies().front();
  World world(0);
  Bytes denied = There(ends, 0x31, 1, 0, kSyn);
  denied.at(14 + 20 + 3) = 81;
  CHECK(world.Action(denied) == kDrop);
  CHECK(world.forwarder.gateway().Counted("default") == 1);
  Bytes elsewhere = There(ends, 0x31, 1, 0, kSyn);
  elsewhere.at(0) = 0x06;
  CHECK(world.Action(elsewhere) == kDrop);
  CHECK(world.Statistic(MARCH_STATISTIC_ANSWER_NONE) == 1);
  CHECK(world.Statistic(MARCH_STATISTIC_COOKIES_SENT) == 0);
}

TEST_CASE("so many connections need no proof, and those that are established are one") {
  for (const Ends& ends : BothFamilies()) {
    World world(3);
    CHECK(world.Action(There(ends, 1, 100, 0, kSyn)) == kPass);
    CHECK(world.Action(There(ends, 2, 100, 0, kSyn)) == kPass);
    // Again, the same one: it takes nothing.
    CHECK(world.Action(There(ends, 2, 100, 0, kSyn)) == kPass);
    CHECK(world.Action(There(ends, 3, 100, 0, kSyn)) == kPass);
    // The rate is one a second.
    std::uint32_t action = kPass;
    std::uint8_t port = 4;
    for (; action == kPass && port < 10; ++port) {
      action = world.Action(There(ends, port, 100, 0, kSyn));
    }
    CHECK(action == kTransmit);
    // A guess that is near enough for the connection is no proof; the right number is.
    for (const auto& [first, is_proof] : {std::pair{1, false}, std::pair{2, true}}) {
      const auto one = static_cast<std::uint8_t>(first);
      CHECK(world.Action(Back(ends, one, 700, 101, kSyn | kAck)) == kPass);
      CHECK(world.Action(There(ends, one, 101, is_proof ? 701 : 702, kAck)) == kPass);
      const auto other = static_cast<std::uint8_t>(0x40 + first);
      CHECK(world.Action(There(ends, other, 100, 0, kSyn)) == (is_proof ? kPass : kTransmit));
    }
    CHECK(world.forwarder.gateway().Established() == 2);
  }
}

TEST_CASE("connections that live, and what is no TCP, go on as ever") {
  const Ends ends = BothFamilies().front();
  World world(1);
  CHECK(world.Action(There(ends, 1, 100, 0, kSyn)) == kPass);
  CHECK(world.Action(There(ends, 1, 100, 0, kSyn)) == kPass);
  CHECK(world.Action(Back(ends, 1, 700, 101, kSyn | kAck)) == kPass);
  CHECK(world.Action(There(ends, 1, 101, 701, kAck)) == kPass);
  CHECK(world.Action(There(ends, 1, 101, 701, 0x18)) == kPass);
  CHECK(world.Action(There(ends, 1, 101, 701, 0x11)) == kPass);
  CHECK(world.Action(Back(ends, 1, 701, 102, 0x11)) == kPass);
  CHECK(world.Statistic(MARCH_STATISTIC_COOKIES_SENT) == 0);
}

}  // namespace
}  // namespace march::tests

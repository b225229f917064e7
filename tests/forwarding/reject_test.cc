// Answers to packets that are rejected, byte for byte.
#include <algorithm>
#include <catch2/catch.hpp>
#include <string>
#include <utility>
#include <vector>

#include "tests/forwarding/frame.h"
#include "tests/forwarding/hosts.h"

namespace march::tests {
namespace {

constexpr std::uint32_t kDrop = 1;
constexpr std::uint32_t kTransmit = 3;
constexpr std::size_t kIp = 14;

const std::string kPolicy = R"(apiVersion: march/v1
kind: Policy
services:
  good: { addresses: [10.1.0.77] }
mappings:
  good: { from: [good] }
)";

const Bytes kThere4 = kInMac + Hex("020000000002 0800");
const Bytes kBack4 = Hex("020000000002") + kInMac + Hex("0800");
const Bytes kThere6 = kInMac + Hex("020000000002 86dd");
const Bytes kBack6 = Hex("020000000002") + kInMac + Hex("86dd");

// From 10.1.0.5 to 10.3.0.10, and in the answers back.
const Bytes kIpv4 = Hex("4500 0000 1234 4000 3706 0000 0a010005 0a03000a");
const Bytes kIpv6 =
    Hex("6ab12345 0000 06 37 20010db8000100000000000000000005 20010db800030000000000000000000a");
const Bytes kResetIpv4 = Hex("4500 0000 0000 4000 4006 0000 0a03000a 0a010005");
const Bytes kResetIpv6 =
    Hex("60000000 0000 06 40 20010db800030000000000000000000a 20010db8000100000000000000000005");

march_config Answering() {
  march_config config{};
  config.reject.interval = 1;
  config.reject.burst = 1'000'000'000;
  config.reject.all_denied = 1;
  return config;
}

Bytes OfProtocol(Bytes ip, std::uint8_t protocol) {
  ip.at(ip.at(0) >> 4 == 6 ? 6 : 9) = protocol;
  return ip;
}

struct World {
  World() : forwarder(Answering()) { forwarder.Enforce(kPolicy); }

  // "" if it is not answered.
  std::string Answer(const Bytes& frame) {
    const auto result = forwarder.Run(frame);
    if (result.xdp_action == kDrop) return "";
    CHECK(result.xdp_action == kTransmit);
    const Bytes answer(result.frame.begin(), result.frame.end());
    CHECK(Faults(answer).empty());
    return ToHex(answer);
  }

  // Dropped in silence, and counted as this.
  bool Silent(const Bytes& frame, march_statistic why = MARCH_STATISTIC_ANSWER_NONE) {
    INFO(ToHex(frame));
    return forwarder.Counts(why, frame) == 1 && Answer(frame).empty();
  }

  Forwarder forwarder;
};

struct Segment {
  Bytes sent;
  Bytes reset;
};

// RFC 9293, 3.10.7.1, for each kind of segment. Ports 54321 > 80.
std::vector<Segment> Segments() {
  const Bytes ports = Hex("d431 0050");
  const Bytes back = Hex("0050 d431");
  return {// SYN with options: SEG.LEN is 1, and they are not data.
          {ports + Hex("00001000 00000000 8002 ffff 0000 0000 020405b4 01010402 01030307"),
           back + Hex("00000000 00001001 5014 0000 0000 0000")},
          // Three bytes of data and a FIN, without an acknowledgement.
          {ports + Hex("fffffffe 00000000 5009 ffff 0000 0000 616263"),
           back + Hex("00000000 00000002 5014 0000 0000 0000")},
          // With an acknowledgement, what it acknowledges is where the reset begins.
          {ports + Hex("00001000 00002000 5018 ffff 0000 0000 6162"),
           back + Hex("00002000 00000000 5004 0000 0000 0000")},
          {ports + Hex("00001000 00002000 5012 ffff 0000 0000"),
           back + Hex("00002000 00000000 5004 0000 0000 0000")},
          {ports + Hex("00001000 00002000 5011 ffff 0000 0000") + Bytes(1400, 0x42),
           back + Hex("00002000 00000000 5004 0000 0000 0000")}};
}

TEST_CASE("TCP is answered with a reset, of the right number") {
  World world;
  for (const Segment& segment : Segments()) {
    const Bytes sent4 = Whole(kThere4, kIpv4, segment.sent);
    Bytes reset4 = Whole(kBack4, kResetIpv4, segment.reset);
    // As long as the frame was, or as long as Ethernet asks for.
    reset4.resize(std::clamp<std::size_t>(sent4.size(), reset4.size(), 60), 0);
    CHECK(world.Answer(sent4) == ToHex(reset4));
    CHECK(world.Answer(Whole(kThere6, kIpv6, segment.sent)) ==
          ToHex(Whole(kBack6, kResetIpv6, segment.reset)));
  }
  CHECK(world.forwarder.gateway().Statistic(MARCH_STATISTIC_ANSWERED_RESET) == 10);
  CHECK(world.forwarder.gateway().Counted("default") == 10);
}

TEST_CASE("what filled up a frame, options and tags") {
  World world;
  const Segment syn = Segments().front();
  const Bytes plain = Whole(kThere4, kIpv4, Segments().at(3).sent);
  Bytes padded = plain;
  padded.resize(60, 0xEE);
  Bytes reset = Whole(kBack4, kResetIpv4, Segments().at(3).reset);
  CHECK(world.Answer(plain) == ToHex(reset));
  reset.resize(60, 0);
  CHECK(world.Answer(padded) == ToHex(reset));

  const Bytes with_options =
      Hex("4700 0000 1234 4000 3706 0000 0a010005 0a03000a 01010101 01010100");
  CHECK(world.Answer(Whole(kThere4, with_options, syn.sent)) == [&] {
    Bytes answer = Whole(kBack4, kResetIpv4, syn.reset);
    answer.resize(60, 0);
    return ToHex(answer);
  }());

  const auto tagged = [](Bytes frame, const std::string& tags) {
    const Bytes bytes = Hex(tags);
    frame.insert(frame.begin() + 12, bytes.begin(), bytes.end());
    return frame;
  };
  for (const char* tags : {"8100 0064", "88a8 00c8 8100 6064"}) {
    Bytes answer = tagged(Whole(kBack4, kResetIpv4, syn.reset), tags);
    if (answer.size() < 60) answer.resize(60, 0);
    CHECK(world.Answer(tagged(Whole(kThere4, kIpv4, syn.sent), tags)) == ToHex(answer));
    CHECK(world.Answer(tagged(Whole(kThere6, kIpv6, syn.sent), tags)) ==
          ToHex(tagged(Whole(kBack6, kResetIpv6, syn.reset), tags)));
  }
}

const Bytes kPorts = Hex("d431 0035 0000 0000");

Bytes Udp(std::size_t data) {
  Bytes udp = kPorts + Bytes(data, 0x33);
  udp.at(4) = static_cast<std::uint8_t>(udp.size() >> 8);
  udp.at(5) = static_cast<std::uint8_t>(udp.size());
  return udp;
}

// RFC 1812, 5.2.7.1: type 3, code 13, from the gateway's address, and the packet as far as 576
// bytes hold it.
Bytes Unreachable4(const Bytes& frame, const std::string& from = "0a010001") {
  Bytes quoted(frame.begin() + kIp, frame.end());
  if (quoted.size() > 548) quoted.resize(548);
  return Whole(kBack4, Hex("45c0 0000 0000 4000 4001 0000" + from + "0a010005"),
               Hex("030d 0000 00000000") + quoted);
}

// RFC 4443, 3.1: type 1, code 1, as far as 1,280 bytes hold it.
Bytes Unreachable6(const Bytes& frame,
                   const std::string& from = "20010db8000100000000000000000001") {
  Bytes quoted(frame.begin() + kIp, frame.end());
  if (quoted.size() > 1232) quoted.resize(1232);
  return Whole(kBack6, Hex("60000000 0000 3a 40" + from + "20010db8000100000000000000000005"),
               Hex("0101 0000 00000000") + quoted);
}

TEST_CASE("all else is answered with an error of ICMP that quotes it") {
  World world;
  for (const std::size_t data :
       {0U, 1U, 2U, 3U, 4U, 100U, 519U, 520U, 521U, 1183U, 1184U, 1185U, 1300U, 1400U}) {
    const Bytes sent4 = Whole(kThere4, OfProtocol(kIpv4, 17), Udp(data));
    const Bytes sent6 = Whole(kThere6, OfProtocol(kIpv6, 17), Udp(data));
    INFO(data);
    CHECK(world.Answer(sent4) == ToHex(Unreachable4(sent4)));
    CHECK(world.Answer(sent6) == ToHex(Unreachable6(sent6)));
  }
  for (const std::uint8_t protocol : Bytes{132, 47, 50, 99}) {
    const Bytes sent4 = Whole(kThere4, OfProtocol(kIpv4, protocol), Bytes(64, 7));
    const Bytes sent6 = Whole(kThere6, OfProtocol(kIpv6, protocol), Bytes(64, 7));
    INFO(static_cast<int>(protocol));
    CHECK(world.Answer(sent4) == ToHex(Unreachable4(sent4)));
    CHECK(world.Answer(sent6) == ToHex(Unreachable6(sent6)));
  }
  const Bytes ping4 = Whole(kThere4, OfProtocol(kIpv4, 1), Hex("0800 0000 0001 0002 41"));
  const Bytes ping6 = Whole(kThere6, OfProtocol(kIpv6, 58), Hex("8000 0000 0001 0002 41"));
  CHECK(world.Answer(ping4) == ToHex(Unreachable4(ping4)));
  CHECK(world.Answer(ping6) == ToHex(Unreachable6(ping6)));
}

TEST_CASE("errors keep the tags of what they answer, and quote no padding") {
  World world;
  const Bytes sent = Whole(kThere4, OfProtocol(kIpv4, 17), Udp(1));
  Bytes padded = sent;
  padded.resize(60, 0xEE);
  CHECK(world.Answer(padded) == ToHex(Unreachable4(sent)));
  for (const char* tags : {"8100 0064", "88a8 00c8 8100 6064"}) {
    const Bytes bytes = Hex(tags);
    Bytes tagged = sent;
    tagged.insert(tagged.begin() + 12, bytes.begin(), bytes.end());
    Bytes answer = Unreachable4(sent);
    answer.insert(answer.begin() + 12, bytes.begin(), bytes.end());
    CHECK(world.Answer(tagged) == ToHex(answer));
  }
}

TEST_CASE("a gateway without addresses answers as the destination") {
  World world;
  world.forwarder.has_addresses = false;
  world.forwarder.Enforce(kPolicy);
  const Bytes sent4 = Whole(kThere4, OfProtocol(kIpv4, 17), Udp(9));
  const Bytes sent6 = Whole(kThere6, OfProtocol(kIpv6, 17), Udp(9));
  CHECK(world.Answer(sent4) == ToHex(Unreachable4(sent4, "0a03000a")));
  CHECK(world.Answer(sent6) == ToHex(Unreachable6(sent6, "20010db800030000000000000000000a")));
}

TEST_CASE("what is never answered") {
  World world;
  const Bytes syn = Segments().front().sent;
  // A reset.
  const Bytes reset = Hex("d431 0050 00001000 00000000 5004 ffff 0000 0000");
  CHECK(world.Silent(Whole(kThere4, kIpv4, reset)));
  CHECK(world.Silent(Whole(kThere6, kIpv6, reset)));
  // Errors of ICMP, and redirects.
  for (const char* type : {"03", "04", "05", "0b", "0c"}) {
    CHECK(world.Silent(Whole(kThere4, OfProtocol(kIpv4, 1), Hex(type) + Bytes(35, 0))));
  }
  for (const char* type : {"01", "02", "03", "04", "7f", "89"}) {
    CHECK(world.Silent(Whole(kThere6, OfProtocol(kIpv6, 58), Hex(type) + Bytes(55, 0))));
  }
  // Later fragments; the first of several is.
  Bytes fragment = Whole(kThere4, OfProtocol(kIpv4, 17), Udp(8));
  fragment.at(kIp + 6) = 0x20;
  FixHeader(fragment);
  CHECK_FALSE(world.Answer(fragment).empty());
  fragment.at(kIp + 7) = 5;
  FixHeader(fragment);
  CHECK(world.Silent(fragment));
  // To many, from nobody or from many; for another host, and to all on this link.
  const auto with = [](Bytes frame, std::size_t at, const std::string& bytes) {
    const Bytes values = Hex(bytes);
    std::copy(values.begin(), values.end(), frame.begin() + static_cast<std::ptrdiff_t>(at));
    if (frame.at(kIp) >> 4 == 4) FixHeader(frame);
    return frame;
  };
  const Bytes syn4 = Whole(kThere4, kIpv4, syn);
  const Bytes syn6 = Whole(kThere6, kIpv6, syn);
  for (const char* address : {"e0000005", "ffffffff"}) {
    CHECK(world.Silent(with(syn4, kIp + 16, address)));
  }
  for (const char* address : {"00000000", "7f000001", "e0000005", "ffffffff"}) {
    CHECK(world.Silent(with(syn4, kIp + 12, address)));
  }
  CHECK(world.Silent(with(syn6, kIp + 24, "ff0e0000000000000000000000000001")));
  CHECK(world.Silent(with(syn6, kIp + 8, "ff0e0000000000000000000000000001")));
  CHECK(world.Silent(with(syn6, kIp + 8, "00000000000000000000000000000000")));
  for (const char* mac : {"020000000003", "ffffffffffff", "01005e000001"}) {
    CHECK(world.Silent(with(syn4, 0, mac)));
  }
  // Behind extension headers.
  CHECK(world.Silent(Whole(kThere6, OfProtocol(kIpv6, 60), Hex("0600 0104 00000000") + syn)));
}

TEST_CASE("what the policy does not judge is dropped in silence") {
  World world;
  Bytes short_header = Whole(kThere4, kIpv4, Segments().front().sent);
  short_header.resize(40);
  const auto result = world.forwarder.Run(short_header);
  CHECK(result.xdp_action == kDrop);
  CHECK(world.forwarder.gateway().Statistic(MARCH_STATISTIC_ANSWER_NONE) == 0);
  Bytes good = Whole(kThere4, kIpv4, Segments().front().sent);
  good.at(kIp + 15) = 77;
  FixHeader(good);
  CHECK(world.forwarder.Run(good).xdp_action == 2);
}

TEST_CASE("answers are as many as are due, and the others are counted") {
  march_config config = Answering();
  config.reject.interval = 1'000'000'000'000;
  config.reject.burst = 4 * config.reject.interval;
  Forwarder forwarder(config);
  forwarder.Enforce(kPolicy);
  const Bytes syn = Whole(kThere4, kIpv4, Segments().front().sent);
  int answered = 0;
  // On whichever CPU each runs, it has five to give away.
  for (int i = 0; i < 1000; ++i) answered += forwarder.Run(syn).xdp_action == kTransmit ? 1 : 0;
  CHECK(answered >= 5);
  CHECK(answered % 5 == 0);
  CHECK(answered < 1000);
  CHECK(forwarder.gateway().Statistic(MARCH_STATISTIC_ANSWER_SUPPRESSED) ==
        static_cast<std::uint64_t>(1000 - answered));
}

TEST_CASE("a gateway that does not answer drops in silence") {
  for (const bool all_denied : {false, true}) {
    march_config config = Answering();
    config.forward.fast = 1;
    config.reject.all_denied = all_denied ? 1 : 0;
    if (all_denied) config.reject.interval = 0;
    Forwarder forwarder(config);
    forwarder.Enforce(kPolicy);
    const Bytes syn = Whole(kThere4, kIpv4, Segments().front().sent);
    const auto result = forwarder.Run(syn);
    CHECK(result.xdp_action == kDrop);
    CHECK(ToHex(Bytes(result.frame.begin(), result.frame.end())) == ToHex(syn));
  }
}

}  // namespace
}  // namespace march::tests

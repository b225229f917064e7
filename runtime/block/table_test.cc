// The table of a block list against plain comparison with every prefix, and the checks of addresses
// and flags, all compiled for the host.
#include "runtime/block/table.h"

#include <algorithm>
#include <catch2/catch.hpp>
#include <random>

#include "bundle/abi/abuse.h"
#include "bundle/abi/block.h"
#include "runtime/block/native_lookup.h"

namespace march::block {
namespace {

// A table in this process' memory, of which one half is written.
class Table {
 public:
  Table(std::uint32_t capacity, const std::vector<Prefix>& prefixes, std::uint64_t half)
      : capacity_(capacity),
        // What is not written must not matter.
        filter_(MARCH_BLOCK_FILTER_WORDS(capacity), ~std::uint64_t{0}),
        lines_(std::size_t{MARCH_BLOCK_LINES(capacity)} * MARCH_BLOCK_LINE_WORDS,
               ~std::uint64_t{0}) {
    const std::size_t words = MARCH_BLOCK_FILTER_HALF(capacity);
    const std::size_t lines = std::size_t{MARCH_BLOCK_HALF(capacity)} * MARCH_BLOCK_LINE_WORDS;
    const std::uint64_t seed =
        FillHalf({std::span(filter_).subspan(MARCH_BLOCK_STATE_WORDS + half * words, words),
                  std::span(lines_).subspan(half * lines, lines)},
                 capacity, prefixes);
    filter_[0] = seed << 32 | half;
  }

  bool Lists(const Prefix& address) const { return Ask(address).second; }
  // Whether the filter alone knows that it is not listed.
  bool KnowsAtOnce(const Prefix& address) const { return !Ask(address).first; }

 private:
  std::pair<bool, bool> Ask(const Prefix& address) const {
    const march_native_blocks blocks{filter_.data(), lines_.data(), capacity_};
    std::uint32_t listed = 0;
    const std::uint32_t top =
        march_native_may_list(&blocks, address.family, address.hi, address.lo, &listed);
    return {top != 0, listed != 0};
  }

  std::uint32_t capacity_;
  std::vector<std::uint64_t> filter_;
  std::vector<std::uint64_t> lines_;
};

Prefix P(const std::string& text) {
  const auto prefix = ParsePrefix(text);
  REQUIRE(prefix.ok());
  return *prefix;
}

// With the bits behind its length cleared.
Prefix Cut(Prefix prefix, unsigned length) {
  prefix.length = static_cast<std::uint8_t>(length);
  const auto keep = [](std::uint64_t value, unsigned bits) {
    return bits == 0 ? 0 : bits >= 64 ? value : value >> (64 - bits) << (64 - bits);
  };
  if (prefix.family == 4) {
    prefix.lo = keep(prefix.lo << 32, length) >> 32;
  } else {
    prefix.hi = keep(prefix.hi, length);
    prefix.lo = keep(prefix.lo, length < 64 ? 0 : length - 64);
  }
  return prefix;
}

// First and last address, and those before and behind.
std::vector<Prefix> Edges(const Prefix& prefix) {
  const bool is_v4 = prefix.family == 4;
  Prefix first = prefix;
  first.length = is_v4 ? 32 : 128;
  Prefix last = first;
  const unsigned host = first.length - prefix.length;
  const auto ones = [](unsigned bits) {
    return bits == 0 ? 0 : ~std::uint64_t{0} >> (64 - std::min(bits, 64U));
  };
  last.lo |= ones(host);
  if (host > 64) last.hi |= ones(host - 64);
  Prefix before = first;
  before.hi -= is_v4 || before.lo != 0 ? 0 : 1;
  before.lo -= 1;
  Prefix behind = last;
  behind.lo += 1;
  behind.hi += is_v4 || behind.lo != 0 ? 0 : 1;
  if (is_v4) {
    before.lo &= 0xFFFFFFFF;
    behind.lo &= 0xFFFFFFFF;
  }
  return {first, last, before, behind};
}

Prefix RandomAddress(std::mt19937_64& random, unsigned family, unsigned spread) {
  // Few different bits in every 16, so that prefixes hold and meet one another.
  const auto part = [&] {
    std::uint64_t value = 0;
    for (int i = 0; i < 4; ++i) value = value << 16 | (random() % spread) << (random() % 2 * 13);
    return value;
  };
  if (family == 4) return {4, 0, part() & 0xFFFFFFFF, 32};
  return {6, part(), part(), 128};
}

TEST_CASE("a table says what plain comparison says") {
  std::mt19937_64 random(1);
  std::size_t hits = 0;
  std::size_t asked = 0;
  for (int round = 0; round < 400; ++round) {
    const unsigned family = round % 2 == 0 ? 4 : 6;
    const unsigned spread = round % 7 == 0 ? 0xFFFF : 1 + static_cast<unsigned>(random() % 8);
    const unsigned bits = family == 4 ? 32 : 128;
    const unsigned least = round % 5 == 0 ? 0 : family == 4 ? 14 : 15;
    std::vector<Prefix> prefixes;
    const std::size_t count = random() % 60;
    for (std::size_t i = 0; i < count; ++i) {
      const auto length = least + static_cast<unsigned>(random() % (bits - least + 1));
      prefixes.push_back(Cut(RandomAddress(random, family, spread), length));
    }
    // One of the other family, which must not matter.
    if (round % 3 == 0) prefixes.push_back(family == 4 ? P("::/3") : P("0.0.0.0/1"));
    const Table table(MARCH_BLOCK_LEAST, prefixes, random() % 2);
    std::vector<Prefix> addresses;
    for (const Prefix& prefix : prefixes) {
      if (prefix.family != family) continue;
      const auto edges = Edges(prefix);
      addresses.insert(addresses.end(), edges.begin(), edges.end());
    }
    for (int i = 0; i < 200; ++i) addresses.push_back(RandomAddress(random, family, spread));
    for (const Prefix& address : addresses) {
      const bool expected =
          std::any_of(prefixes.begin(), prefixes.end(),
                      [&](const Prefix& prefix) { return prefix.Holds(address); });
      INFO("round " << round << " " << address.ToString());
      REQUIRE(table.Lists(address) == expected);
      ++asked;
      hits += static_cast<std::size_t>(expected);
    }
  }
  CHECK(asked > 100000);
  CHECK(hits > asked / 10);
  CHECK(hits < asked * 9 / 10);
}

TEST_CASE("lengths at which the levels change") {
  for (const char* text : {"10.0.0.0/15",
                           "10.0.0.0/16",
                           "10.0.0.0/17",
                           "10.0.128.0/17",
                           "10.0.254.0/23",
                           "10.0.254.0/24",
                           "10.0.254.128/25",
                           "10.0.254.1",
                           "255.255.255.255",
                           "0.0.0.0",
                           "0.0.0.0/0",
                           "2000::/15",
                           "2002::/16",
                           "2001:8000::/17",
                           "2001:db8::/31",
                           "2001:db8::/32",
                           "2001:db8:8000::/33",
                           "2001:db8::/63",
                           "2001:db8::/64",
                           "2001:db8::8000:0:0:0/65",
                           "2001:db8::/96",
                           "2001:db8::ffff:0:0/97",
                           "2001:db8::1",
                           "ffff:ffff:ffff:ffff:ffff:ffff:ffff:ffff",
                           "::/0"}) {
    const Prefix prefix = P(text);
    const Table table(MARCH_BLOCK_LEAST, {prefix}, 0);
    for (const Prefix& address : Edges(prefix)) {
      INFO(text << " " << address.ToString());
      CHECK(table.Lists(address) == prefix.Holds(address));
    }
  }
}

TEST_CASE("as many prefixes as there is room for") {
  std::mt19937_64 random(2);
  for (const unsigned family : {4U, 6U}) {
    for (const unsigned length : {family == 4 ? 32U : 128U, family == 4 ? 24U : 64U}) {
      // A group each, and so the most that there can be.
      std::vector<Prefix> prefixes;
      for (std::uint64_t i = 0; i < 131072; ++i) {
        const Prefix address = family == 4 ? Prefix{4, 0, i << 8 | (random() & 0xFF), 32}
                                           : Prefix{6, i << 36 | 7, random(), 128};
        prefixes.push_back(Cut(address, length));
      }
      const Table table(131072, prefixes, 1);
      std::size_t listed = 0;
      std::size_t known = 0;
      for (std::uint64_t i = 0; i < 131072; ++i) {
        const Prefix inside = prefixes.at(i);
        Prefix outside = inside;
        outside.lo += family == 4 ? 131072ULL << 8 : 0;
        outside.hi += family == 4 ? 0 : 131072ULL << 36;
        listed += static_cast<std::size_t>(table.Lists(inside));
        REQUIRE_FALSE(table.Lists(outside));
        known += static_cast<std::size_t>(table.KnowsAtOnce(outside));
      }
      CHECK(listed == prefixes.size());
      CHECK(known > prefixes.size() * 9 / 10);
    }
  }
}

TEST_CASE("one group may have as many prefixes as the list") {
  std::vector<Prefix> prefixes;
  for (std::uint64_t i = 0; i < 131072; ++i) {
    prefixes.push_back({6, 0x20010DB800000000, i << 1, 128});
  }
  const Table table(131072, prefixes, 0);
  for (std::uint64_t i = 0; i < 2 * 131072 + 4; ++i) {
    const Prefix address{6, 0x20010DB800000000, i, 128};
    REQUIRE(table.Lists(address) == (i % 2 == 0 && i < 2 * 131072));
  }
}

TEST_CASE("flags that no segment has") {
  const std::string letters = "FSRPAU";
  std::string possible;
  for (unsigned flags = 0; flags < 64; ++flags) {
    if (march_native_flags_are_impossible(flags) != 0) continue;
    std::string text;
    for (unsigned bit = 0; bit < 6; ++bit) {
      if (flags >> bit & 1) text += letters.at(bit);
    }
    if (text.find_first_of("PU") == std::string::npos) possible += text + " ";
  }
  CHECK(possible == "S R A FA SA RA ");
  // PSH and URG, ECE and CWR make no difference.
  CHECK(march_native_flags_are_impossible(0x29) != 0);
  CHECK(march_native_flags_are_impossible(0x38) == 0);
  CHECK(march_native_flags_are_impossible(0xC2) == 0);
}

bool IsMartian(const std::string& source, const std::string& destination, std::uint32_t l4 = 0,
               std::uint32_t source_port = 0) {
  const Prefix from = P(source);
  const Prefix to = P(destination);
  march_key key{};
  key.family = from.family;
  key.src_hi = from.hi;
  key.src_lo = from.lo;
  key.dst_hi = to.hi;
  key.dst_lo = to.lo;
  key.l4 = l4;
  key.source_port = source_port;
  return march_native_is_martian(&key) != 0;
}

TEST_CASE("addresses that none can have on the wire") {
  for (const char* source : {"0.0.0.0", "0.1.2.3", "127.0.0.1", "127.255.0.1", "224.0.0.1",
                             "239.255.255.255", "240.0.0.1", "255.255.255.255"}) {
    INFO(source);
    CHECK(IsMartian(source, "192.0.2.1"));
  }
  for (const char* source : {"1.0.0.0", "126.255.255.255", "128.0.0.1", "223.255.255.255",
                             "10.0.0.1", "169.254.1.1", "192.168.0.1"}) {
    INFO(source);
    CHECK_FALSE(IsMartian(source, "192.0.2.1"));
    CHECK_FALSE(IsMartian(source, "224.0.0.1"));
    CHECK_FALSE(IsMartian(source, "255.255.255.255"));
    CHECK(IsMartian(source, "127.0.0.1"));
    CHECK(IsMartian(source, "0.0.0.0"));
  }
  for (const char* source : {"::", "::1", "ff02::1", "ff0e::1", "::ffff:10.0.0.1"}) {
    INFO(source);
    CHECK(IsMartian(source, "2001:db8::1"));
  }
  for (const char* source : {"::2", "2001:db8::1", "fe80::1", "fc00::1", "64:ff9b::10.0.0.1"}) {
    INFO(source);
    CHECK_FALSE(IsMartian(source, "2001:db8::1"));
    CHECK_FALSE(IsMartian(source, "ff0e::1"));
    CHECK(IsMartian(source, "::1"));
    CHECK(IsMartian(source, "::ffff:10.0.0.1"));
  }
}

TEST_CASE("who has no address yet may ask for one") {
  const std::uint32_t server = MARCH_L4_KEY(17, 67);
  CHECK_FALSE(IsMartian("0.0.0.0", "255.255.255.255", server, 68));
  CHECK(IsMartian("0.0.0.0", "255.255.255.255", server, 1068));
  CHECK(IsMartian("0.0.0.0", "255.255.255.255", MARCH_L4_KEY(17, 53), 68));
  CHECK(IsMartian("0.0.0.0", "192.0.2.1", server, 68));
  CHECK(IsMartian("0.0.0.1", "255.255.255.255", server, 68));
  CHECK_FALSE(IsMartian("0.0.0.0", "224.0.0.22"));
  CHECK(IsMartian("0.0.0.0", "224.0.1.22"));
  CHECK_FALSE(IsMartian("::", "ff02::16"));
  CHECK(IsMartian("::", "ff05::16"));
  CHECK(IsMartian("::1", "ff02::16"));
}

TEST_CASE("an own address is found by its mark") {
  const std::uint64_t secret[2] = {7, 8};
  std::vector<std::uint64_t> lines(std::size_t{MARCH_OWN_LINES} * MARCH_OWN_MARKS);
  const auto is_own = [&](const std::string& text) {
    const Prefix address = P(text);
    return march_native_is_own(lines.data(), secret, address.family, address.hi, address.lo) != 0;
  };
  for (const char* text : {"192.0.2.1", "2001:db8::1"}) {
    const Prefix address = P(text);
    CHECK_FALSE(is_own(text));
    const std::uint64_t mark =
        march_address_mark(secret[0], secret[1], address.family, address.hi, address.lo);
    lines.at(march_own_line_of(mark) * MARCH_OWN_MARKS + 5) = mark;
    CHECK(is_own(text));
  }
  CHECK_FALSE(is_own("192.0.2.2"));
  CHECK_FALSE(is_own("::192.0.2.1"));
  CHECK_FALSE(is_own("2001:db8::2"));
}

}  // namespace
}  // namespace march::block

// SYN cookies and who has given one back, compiled for the host.
#include <catch2/catch.hpp>
#include <cstdint>
#include <vector>

#include "runtime/block/native_lookup.h"

namespace march::block {
namespace {

constexpr std::uint64_t kSecret[2] = {0x0706050403020100, 0x0F0E0D0C0B0A0908};

std::uint64_t Rotated(std::uint64_t value, int bits) {
  return value << bits | value >> (64 - bits);
}

// SipHash-2-4 as its paper has it, of any bytes.
std::uint64_t SipHash(const std::vector<std::uint8_t>& bytes) {
  std::uint64_t v[4] = {kSecret[0] ^ 0x736f6d6570736575, kSecret[1] ^ 0x646f72616e646f6d,
                        kSecret[0] ^ 0x6c7967656e657261, kSecret[1] ^ 0x7465646279746573};
  const auto rounds = [&](int count) {
    for (int i = 0; i < count; ++i) {
      v[0] += v[1];
      v[1] = Rotated(v[1], 13);
      v[1] ^= v[0];
      v[0] = Rotated(v[0], 32);
      v[2] += v[3];
      v[3] = Rotated(v[3], 16);
      v[3] ^= v[2];
      v[0] += v[3];
      v[3] = Rotated(v[3], 21);
      v[3] ^= v[0];
      v[2] += v[1];
      v[1] = Rotated(v[1], 17);
      v[1] ^= v[2];
      v[2] = Rotated(v[2], 32);
    }
  };
  for (std::size_t i = 0; i <= bytes.size() / 8; ++i) {
    std::uint64_t word = i == bytes.size() / 8 ? std::uint64_t{bytes.size() & 0xFF} << 56 : 0;
    for (std::size_t j = 0; j < 8 && i * 8 + j < bytes.size(); ++j) {
      word |= std::uint64_t{bytes[i * 8 + j]} << (8 * j);
    }
    v[3] ^= word;
    rounds(2);
    v[0] ^= word;
  }
  v[2] ^= 0xFF;
  rounds(4);
  return v[0] ^ v[1] ^ v[2] ^ v[3];
}

march_key KeyOf(std::uint64_t number) {
  march_key key{};
  key.family = 4;
  key.src_lo = 0x0A010000 + number;
  key.dst_lo = 0x0A02000A;
  key.l4 = MARCH_L4_KEY(6, 80);
  key.source_port = 40000;
  return key;
}

TEST_CASE("the hash of cookies is SipHash-2-4") {
  std::vector<std::uint8_t> bytes;
  for (std::uint8_t i = 0; i < 15; ++i) bytes.push_back(i);
  CHECK(SipHash(bytes) == 0xa129ca6149be45e5);  // appendix A of its paper
  for (std::uint8_t i = 15; i < 39; ++i) bytes.push_back(i);
  march_key key{};
  key.src_hi = 0x0706050403020100;
  key.src_lo = 0x0F0E0D0C0B0A0908;
  key.dst_hi = 0x1716151413121110;
  key.dst_lo = 0x1F1E1D1C1B1A1918;
  CHECK(march_native_sip_hash(kSecret, &key, 0x26252423222120) == SipHash(bytes));
}

TEST_CASE("a cookie is known in its minute and the next, and to nobody else") {
  const march_key key = KeyOf(5);
  for (const std::uint32_t minute : {7U, 8U, 0U, 0xFFFFFFU}) {
    const std::uint32_t cookie = march_native_cookie_of(kSecret, &key, minute);
    CHECK(march_native_is_cookie(kSecret, &key, cookie, minute) != 0);
    CHECK(march_native_is_cookie(kSecret, &key, cookie, minute + 1) != 0);
    CHECK(march_native_is_cookie(kSecret, &key, cookie, minute + 2) == 0);
    CHECK(march_native_is_cookie(kSecret, &key, cookie, minute - 1) == 0);
    CHECK(march_native_is_cookie(kSecret, &key, cookie + 2, minute) == 0);
    const std::uint64_t other_secret[2] = {1, 2};
    CHECK(march_native_is_cookie(other_secret, &key, cookie, minute) == 0);
    for (int field = 0; field < 4; ++field) {
      march_key other = key;
      if (field == 0) other.src_lo ^= 1;
      if (field == 1) other.dst_lo ^= 1;
      if (field == 2) other.l4 ^= 1;
      if (field == 3) other.source_port ^= 1;
      CHECK(march_native_is_cookie(kSecret, &other, cookie, minute) == 0);
    }
  }
}

TEST_CASE("a source is real for as long as it is remembered") {
  std::vector<march_real_line> lines(4);
  const march_native_sources sources = {lines.data(), 4, 100};
  const march_key key = KeyOf(5);
  CHECK(march_native_is_real(&sources, &key, 1000) == 0);
  march_native_take_for_real(&sources, &key, 1000);
  CHECK(march_native_is_real(&sources, &key, 1000) == 100);
  CHECK(march_native_is_real(&sources, &key, 1099) == 1);
  CHECK(march_native_is_real(&sources, &key, 1100) == 0);
  march_native_take_for_real(&sources, &key, 1050);
  CHECK(march_native_is_real(&sources, &key, 1100) == 50);
  march_key other = key;
  other.family = 6;
  CHECK(march_native_is_real(&sources, &other, 1000) == 0);
}

TEST_CASE("when there is no room, whose time ends first is forgotten") {
  std::vector<march_real_line> lines(1);
  const march_native_sources sources = {lines.data(), 1, 100};
  for (std::uint32_t i = 0; i < 8; ++i) {
    const march_key key = KeyOf(i);
    march_native_take_for_real(&sources, &key, 1000 + i);
  }
  for (std::uint32_t i = 0; i < 8; ++i) {
    const march_key key = KeyOf(i);
    CHECK(march_native_is_real(&sources, &key, 1010) == 90 + i);
  }
  const march_key renewed = KeyOf(0);
  march_native_take_for_real(&sources, &renewed, 1020);
  const march_key more = KeyOf(8);
  march_native_take_for_real(&sources, &more, 1020);
  for (std::uint32_t i = 0; i < 9; ++i) {
    const march_key key = KeyOf(i);
    CHECK((march_native_is_real(&sources, &key, 1020) != 0) == (i != 1));
  }
}

}  // namespace
}  // namespace march::block

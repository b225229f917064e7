// The mark of lower effort (bpf-templates/common/lower_effort.h) on packets of both families.
#include <algorithm>
#include <catch2/catch.hpp>
#include <cstdint>
#include <vector>

#include "tests/limits/native_limit.h"
#include "tests/random/random.h"

namespace march::tests {
namespace {

// RFC 1071, over the whole header: 0 for one whose checksum is right.
std::uint32_t ChecksumOf(const std::vector<std::uint8_t>& header) {
  std::uint32_t sum = 0;
  for (std::size_t i = 0; i + 1 < header.size(); i += 2) {
    sum += static_cast<std::uint32_t>(header[i] << 8 | header[i + 1]);
  }
  while (sum > 0xffff) sum = (sum & 0xffff) + (sum >> 16);
  return ~sum & 0xffff;
}

TEST_CASE("of IPv4, the code point changes and the checksum stays right") {
  Random random(3);
  for (int i = 0; i < 200'000; ++i) {
    std::vector<std::uint8_t> header(20);
    for (std::uint8_t& byte : header) byte = static_cast<std::uint8_t>(random.Next());
    header[0] = 0x45;
    header[10] = header[11] = 0;
    const std::uint32_t checksum = ChecksumOf(header);
    header[10] = static_cast<std::uint8_t>(checksum >> 8);
    header[11] = static_cast<std::uint8_t>(checksum);
    const std::vector<std::uint8_t> before = header;
    native_set_lower_effort(header.data());
    if (ChecksumOf(header) != 0) FAIL("the checksum is wrong");
    if (header[1] >> 2 != 1 || (header[1] & 3) != (before[1] & 3)) FAIL("another code point");
    for (std::size_t at = 0; at < header.size(); ++at) {
      if (at != 1 && at != 10 && at != 11 && header[at] != before[at]) FAIL("something else");
    }
  }
}

TEST_CASE("of IPv6, the code point changes and nothing else") {
  Random random(4);
  for (int i = 0; i < 100'000; ++i) {
    std::vector<std::uint8_t> header(40);
    for (std::uint8_t& byte : header) byte = static_cast<std::uint8_t>(random.Next());
    header[0] = static_cast<std::uint8_t>(0x60 | (header[0] & 15));
    const std::vector<std::uint8_t> before = header;
    native_set_lower_effort(header.data());
    const auto class_of = [](const std::vector<std::uint8_t>& h) {
      return (h[0] & 15) << 4 | h[1] >> 4;
    };
    if (class_of(header) >> 2 != 1) FAIL("another code point");
    if ((class_of(header) & 3) != (class_of(before) & 3)) FAIL("ECN changed");
    if (header[0] >> 4 != 6 || (header[1] & 15) != (before[1] & 15)) FAIL("something else");
    if (!std::equal(header.begin() + 2, header.end(), before.begin() + 2)) FAIL("something else");
  }
}

TEST_CASE("the IP header is found behind up to two tags") {
  for (const std::size_t tags : {0U, 1U, 2U}) {
    std::vector<std::uint8_t> frame(14 + 4 * tags + 20);
    for (std::size_t i = 0; i < tags; ++i) frame[12 + 4 * i] = 0x81;
    frame[12 + 4 * tags] = 0x08;
    CHECK(native_ip_of(frame.data(), frame.data() + frame.size()) == frame.data() + 14 + 4 * tags);
    CHECK(native_ip_of(frame.data(), frame.data() + frame.size() - 1) == nullptr);
    CHECK(native_ip_of(frame.data(), frame.data() + 13) == nullptr);
  }
}

}  // namespace
}  // namespace march::tests

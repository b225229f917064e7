#include "runtime/flows/filter.h"

#include <arpa/inet.h>

#include <array>

#include "base/number.h"

namespace march::flows {
namespace {

std::uint64_t ReadBigEndian(const std::uint8_t* bytes, int count) {
  std::uint64_t value = 0;
  for (int i = 0; i < count; ++i) value = value << 8 | bytes[i];
  return value;
}

// The first `length` of `bits`.
std::uint64_t Mask(unsigned length, unsigned bits) {
  if (length == 0) return 0;
  const std::uint64_t all = bits == 64 ? ~std::uint64_t{0} : (std::uint64_t{1} << bits) - 1;
  return length >= bits ? all : all & ~((std::uint64_t{1} << (bits - length)) - 1);
}

bool HasPort(const march_flow& record, std::uint16_t port) {
  return MARCH_FLOW_KIND(record.l4) == MARCH_KIND_PORTS &&
         (MARCH_FLOW_SOURCE_PORT(record.l4) == port ||
          MARCH_FLOW_DESTINATION_PORT(record.l4) == port);
}

}  // namespace

std::optional<Prefix> Prefix::Parse(std::string_view text) {
  const std::size_t slash = text.find('/');
  const std::string address(text.substr(0, slash));
  Prefix prefix;
  std::array<std::uint8_t, 16> bytes{};
  if (::inet_pton(AF_INET, address.c_str(), bytes.data()) == 1) {
    prefix.lo = ReadBigEndian(bytes.data(), 4);
  } else if (::inet_pton(AF_INET6, address.c_str(), bytes.data()) == 1) {
    prefix.family = 6;
    prefix.hi = ReadBigEndian(bytes.data(), 8);
    prefix.lo = ReadBigEndian(bytes.data() + 8, 8);
  } else {
    return std::nullopt;
  }
  const unsigned bits = prefix.family == 4 ? 32 : 128;
  unsigned length = bits;
  if (slash != std::string_view::npos) {
    const auto written = ReadNumber<unsigned>(text.substr(slash + 1));
    if (!written || *written > bits) return std::nullopt;
    length = *written;
  }
  if (prefix.family == 4) {
    prefix.mask_lo = Mask(length, 32);
  } else {
    prefix.mask_hi = Mask(length, 64);
    prefix.mask_lo = Mask(length > 64 ? length - 64 : 0, 64);
  }
  return prefix;
}

bool Filter::IsEmpty() const {
  return !source && !destination && !port && !protocol && !state && mapping.empty();
}

bool Filter::Matches(const march_flow& record, MappingNames& names) const {
  const std::uint64_t family = MARCH_FLOW_FAMILY(record.l4);
  if (protocol && MARCH_FLOW_PROTOCOL(record.l4) != *protocol) return false;
  if (port && !HasPort(record, *port)) return false;
  if (source && !source->Contains(family, record.src_hi, record.src_lo)) return false;
  if (destination && !destination->Contains(family, record.dst_hi, record.dst_lo)) return false;
  if (state && StateOf(record) != *state) return false;
  return mapping.empty() || names.IsDecidedBy(record.judged, mapping);
}

}  // namespace march::flows

// Which flows are meant.
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>

#include "bundle/abi/flow.h"
#include "runtime/flows/flow_text.h"
#include "runtime/flows/mapping_names.h"

namespace march::flows {

// Addresses of one family that share their first bits.
struct Prefix {
  std::uint64_t family = 4;  // or 6
  std::uint64_t hi = 0;
  std::uint64_t lo = 0;
  std::uint64_t mask_hi = 0;
  std::uint64_t mask_lo = 0;

  // "10.0.0.0/8", "2001:db8::1"; bits behind the length do not matter.
  static std::optional<Prefix> Parse(std::string_view text);
  bool Contains(std::uint64_t of_family, std::uint64_t of_hi, std::uint64_t of_lo) const {
    return of_family == family && ((of_hi ^ hi) & mask_hi) == 0 && ((of_lo ^ lo) & mask_lo) == 0;
  }
};

// All that is given must hold; source is who opened the flow.
struct Filter {
  std::optional<Prefix> source;
  std::optional<Prefix> destination;
  std::optional<std::uint16_t> port;  // of either end; ICMP has none
  std::optional<std::uint8_t> protocol;
  std::optional<State> state;
  std::string mapping;  // "" for any; "(default)" for what no mapping matched

  bool IsEmpty() const;
  bool Matches(const march_flow& record, MappingNames& names) const;
};

}  // namespace march::flows

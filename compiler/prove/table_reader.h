// A reader of the classifier tables by their documented form (bundle/abi/tables.h), for the proof:
// it enumerates what the walker (bpf-templates/common/walk.h) looks up, and shares no code with it
// or with the compiler that wrote them. What the format does not allow, or the bounds in
// march_shape would cut off, is a fault even where a walker might get away with it.
#pragma once

#include <array>
#include <cstddef>
#include <cstdint>
#include <span>
#include <vector>

#include "bundle/abi/limit.h"
#include "bundle/abi/tables.h"
#include "compiler/prove/fault.h"
#include "compiler/space/address.h"

namespace march::prove {

// Neighbouring addresses that a search leads to one value, as the tables divide them: neighbours
// may have the same.
struct AddressRange {
  space::Uint128 first = 0;
  space::Uint128 last = 0;
  std::uint32_t value = 0;  // without MARCH_VALUE_LEAF: the class
};

// The leaves that a pair of classes meets, 0 for none, in the order of the views.
using MetLeaves = std::array<std::uint64_t, 3>;

class TableReader {
 public:
  // More address ranges of one side of one family are not read.
  static constexpr std::size_t kMostRanges = std::size_t{1} << 23;

  // `words` must outlive the reader. Raises a fault for a header that is not one.
  TableReader(std::span<const std::uint64_t> words, Fault& fault);

  const march_shape& shape() const { return shape_; }

  // All addresses of the family, ascending, without gaps.
  std::vector<AddressRange> Sources(space::Family family, Fault& fault) const;
  std::vector<AddressRange> Destinations(space::Family family, Fault& fault) const;

  // `source` and `destination` are values of the ranges.
  MetLeaves Meet(space::Family family, std::uint32_t source, std::uint32_t destination,
                 Fault& fault) const;

  // The word of this number; 0 with a fault behind the end.
  std::uint64_t Word(std::uint64_t number, Fault& fault) const;
  // The treatment of a slot from MARCH_SLOT_DEFAULT on.
  std::uint64_t TreatmentOf(std::uint32_t slot, Fault& fault) const;
  march_limit Limit(std::uint64_t number, Fault& fault) const;

  // Number of the first word of the sets.
  std::uint32_t SetsOf(space::Family family) const { return PlaceOf(family).sets; }

 private:
  struct Search;

  const march_family& PlaceOf(space::Family family) const {
    return family == space::Family::kV4 ? v4_ : v6_;
  }
  const march_family_shape& BoundsOf(space::Family family) const {
    return family == space::Family::kV4 ? shape_.v4 : shape_.v6;
  }
  std::uint32_t Half(std::uint64_t number, Fault& fault) const;
  // Null with a fault behind the end.
  const std::uint64_t* Line(std::uint64_t number, Fault& fault) const;

  std::vector<AddressRange> Ranges(space::Family family, std::uint32_t root, Fault& fault) const;
  void Read4(std::uint32_t root, Search& search) const;
  void Descend4(std::uint32_t value, std::uint32_t first, std::uint32_t last, unsigned steps,
                Search& search) const;
  void DescendShort(const std::uint64_t* line, std::uint32_t first, std::uint32_t last,
                    unsigned steps, Search& search) const;
  void Descend6(std::uint32_t value, std::uint64_t first, std::uint64_t last, unsigned steps,
                Search& search) const;
  void DescendLow(std::uint32_t value, std::uint64_t upper, std::uint64_t first, std::uint64_t last,
                  unsigned steps, Search& search) const;
  template <class Next>
  void Divide6(std::uint32_t value, std::uint64_t first, std::uint64_t last, Search& search,
               Next&& next) const;

  std::uint64_t FindPair(const march_family& place, std::uint32_t source, std::uint32_t destination,
                         Fault& fault) const;
  std::uint64_t LeafOfPair(const march_family& place, std::uint64_t pair, Fault& fault) const;
  std::uint64_t FindInRow(const std::uint64_t* record, std::uint32_t class_id, unsigned levels,
                          Fault& fault) const;
  static std::uint64_t FindEntry(const std::uint64_t* entries, std::size_t count,
                                 std::uint32_t class_id, Fault& fault);

  std::span<const std::uint64_t> words_;
  march_tables_header header_{};
  march_family v4_{};
  march_family v6_{};
  march_shape shape_{};
};

}  // namespace march::prove

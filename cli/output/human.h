// Quantities as people read and write them.
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

namespace march::cli {

// "999 B", "1.2 kB", "34 MB": SI prefixes, two digits or more, the rest cut off.
std::string HumanBytes(std::uint64_t bytes);

// "0s", "59s", "3m05s", "2h04m", "5d03h".
std::string HumanDuration(double seconds);

// "90s", "10m", "2h", "1d", in seconds; none if it is no such text.
std::optional<std::uint64_t> ReadDuration(std::string_view text);

// "12,345".
std::string Grouped(std::uint64_t number);

// Pads the cells of one column of a table to the same width, on the left; for columns that
// AlignColumns does not know to be numbers.
void AlignRight(std::vector<std::vector<std::string>>& rows, std::size_t column);

}  // namespace march::cli

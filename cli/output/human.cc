#include "cli/output/human.h"

#include <algorithm>
#include <array>
#include <limits>
#include <utility>

#include "base/number.h"

namespace march::cli {
namespace {

// Of a number below 100.
std::string TwoDigits(std::uint64_t number) {
  return {static_cast<char>('0' + number / 10), static_cast<char>('0' + number % 10)};
}

}  // namespace

std::string HumanBytes(std::uint64_t bytes) {
  if (bytes < 1000) return std::to_string(bytes) + " B";
  constexpr std::array<std::string_view, 6> kNames = {"kB", "MB", "GB", "TB", "PB", "EB"};
  std::uint64_t unit = 1000;
  std::size_t name = 0;
  for (; bytes / unit >= 1000; ++name) unit *= 1000;
  const std::uint64_t tenths = bytes / (unit / 10);
  std::string text = std::to_string(tenths / 10);
  if (tenths < 100) text += "." + std::to_string(tenths % 10);
  return text + " " + std::string(kNames.at(name));
}

std::string HumanDuration(double seconds) {
  const auto whole = static_cast<std::uint64_t>(std::max(seconds, 0.0));
  const std::uint64_t minutes = whole / 60;
  const std::uint64_t hours = minutes / 60;
  if (minutes == 0) return std::to_string(whole) + "s";
  if (hours == 0) return std::to_string(minutes) + "m" + TwoDigits(whole % 60) + "s";
  if (hours < 24) return std::to_string(hours) + "h" + TwoDigits(minutes % 60) + "m";
  return std::to_string(hours / 24) + "d" + TwoDigits(hours % 24) + "h";
}

std::optional<std::uint64_t> ReadDuration(std::string_view text) {
  constexpr std::array<std::pair<char, std::uint64_t>, 4> kUnits = {
      {{'s', 1}, {'m', 60}, {'h', 3600}, {'d', 86400}}};
  if (text.empty()) return std::nullopt;
  const auto unit = std::find_if(kUnits.begin(), kUnits.end(),
                                 [&](const auto& each) { return each.first == text.back(); });
  const auto number = ReadNumber<std::uint64_t>(text.substr(0, text.size() - 1));
  if (unit == kUnits.end() || !number) return std::nullopt;
  if (*number > std::numeric_limits<std::uint64_t>::max() / unit->second) return std::nullopt;
  return *number * unit->second;
}

std::string Grouped(std::uint64_t number) {
  std::string text = std::to_string(number);
  for (std::size_t at = text.size(); at > 3; at -= 3) text.insert(at - 3, 1, ',');
  return text;
}

void AlignRight(std::vector<std::vector<std::string>>& rows, std::size_t column) {
  std::size_t width = 0;
  for (const auto& row : rows) width = std::max(width, row.at(column).size());
  for (auto& row : rows) row.at(column).insert(0, width - row.at(column).size(), ' ');
}

}  // namespace march::cli

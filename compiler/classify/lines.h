// The array of lines under construction (bundle/abi/tables.h).
#pragma once

#include <bit>
#include <cstdint>
#include <utility>
#include <vector>

#include "bundle/abi/tables.h"

namespace march::classify {

using Words = std::vector<std::uint64_t>;

constexpr std::uint64_t Pack(std::uint32_t high, std::uint32_t low) {
  return std::uint64_t{high} << 32 | low;
}

// How many halvings settle a run of `count` words: ceil(log2(count)).
inline std::uint8_t DepthOf(std::uint64_t count) {
  return static_cast<std::uint8_t>(count <= 1 ? 0 : std::bit_width(count - 1));
}

class Lines {
 public:
  explicit Lines(Words words) : words_(std::move(words)) {}

  // The number of the first word of a copy of `block`, which starts on an even word.
  std::uint32_t Append(const Words& block) {
    if (words_.size() % 2 != 0) words_.push_back(0);
    const auto at = static_cast<std::uint32_t>(words_.size());
    words_.insert(words_.end(), block.begin(), block.end());
    return at;
  }

  // The number of the first half of a copy of `halves`.
  std::uint32_t AppendHalves(const std::vector<std::uint32_t>& halves) {
    const auto at = static_cast<std::uint32_t>(words_.size() * 2);
    for (std::size_t i = 0; i < halves.size(); i += 2) {
      words_.push_back(Pack(i + 1 < halves.size() ? halves[i + 1] : 0, halves[i]));
    }
    return at;
  }

  // The number of the first line of a copy of `block`, which is whole lines.
  std::uint32_t AppendLines(const Words& block) {
    const std::uint32_t at = AppendLine();
    words_.resize(words_.size() - MARCH_LINE_WORDS);
    words_.insert(words_.end(), block.begin(), block.end());
    return at;
  }

  // The number of a new line of zeros.
  std::uint32_t AppendLine() {
    words_.resize((words_.size() + MARCH_LINE_WORDS - 1) / MARCH_LINE_WORDS * MARCH_LINE_WORDS +
                      MARCH_LINE_WORDS,
                  0);
    return static_cast<std::uint32_t>(words_.size() / MARCH_LINE_WORDS - 1);
  }

  std::uint64_t& WordOf(std::uint32_t line, std::uint32_t word) {
    return words_[std::size_t{line} * MARCH_LINE_WORDS + word];
  }
  void SetHalf(std::uint32_t line, std::uint32_t half, std::uint32_t value) {
    std::uint64_t& word = WordOf(line, half / 2);
    word = half % 2 == 0 ? Pack(static_cast<std::uint32_t>(word >> 32), value)
                         : Pack(value, static_cast<std::uint32_t>(word));
  }

  std::uint64_t bytes() const { return words_.size() * sizeof(std::uint64_t); }

  // All words, filled up to a whole line.
  Words Take() && {
    while (words_.size() % MARCH_LINE_WORDS != 0) words_.push_back(0);
    return std::move(words_);
  }

 private:
  Words words_;
};

}  // namespace march::classify

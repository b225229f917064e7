// The word array under construction. Runs that are equal exist once.
#pragma once

#include <bit>
#include <cstdint>
#include <map>
#include <vector>

namespace march::classify {

inline std::uint64_t PackedEntry(std::uint32_t key, std::uint32_t value) {
  return std::uint64_t{key} << 32 | value;
}

// How many halvings settle a run of `count` entries: ceil(log2(count)).
inline std::uint32_t DepthOf(std::uint64_t count) {
  return count <= 1 ? 0 : static_cast<std::uint32_t>(std::bit_width(count - 1));
}

class Runs {
 public:
  // Starts with `reserved` zero words for the header.
  explicit Runs(std::size_t reserved) : words_(reserved, 0) {}

  // The index of the first word of a run equal to `run`, which is appended if it is new.
  std::uint32_t Share(const std::vector<std::uint64_t>& run) {
    const auto [it, is_new] = shared_.try_emplace(run, size());
    if (is_new) words_.insert(words_.end(), run.begin(), run.end());
    return it->second;
  }

  // As Share, described as a run word of bundle/abi/tables.h.
  std::uint64_t SharePacked(const std::vector<std::uint64_t>& run) {
    return std::uint64_t{run.size()} << 32 | Share(run);
  }

  // Appends without sharing; the index of the first word.
  std::uint32_t Append(const std::vector<std::uint64_t>& block) {
    const std::uint32_t at = size();
    words_.insert(words_.end(), block.begin(), block.end());
    return at;
  }

  std::uint32_t size() const { return static_cast<std::uint32_t>(words_.size()); }
  std::vector<std::uint64_t>& words() { return words_; }

 private:
  std::vector<std::uint64_t> words_;
  std::map<std::vector<std::uint64_t>, std::uint32_t> shared_;
};

}  // namespace march::classify

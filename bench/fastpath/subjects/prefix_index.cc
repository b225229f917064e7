#include "bench/fastpath/subjects/prefix_index.h"

#include <algorithm>
#include <cstring>
#include <tuple>

#include "bench/fastpath/bpf/lpm_maps.h"

namespace march::bench {
namespace {

using space::Prefix;
using space::Uint128;

bool Before(const Prefix& a, const Prefix& b) {
  return std::tuple(a.address.value, a.length) < std::tuple(b.address.value, b.length);
}

template <class Key>
std::string KeysOf(const std::vector<Prefix>& prefixes) {
  std::string bytes(prefixes.size() * sizeof(Key), '\0');
  for (std::size_t i = 0; i < prefixes.size(); ++i) {
    Key key{};
    key.length = prefixes[i].length;
    std::uint8_t address[sizeof(key.address)];
    for (std::size_t byte = 0; byte < sizeof(address); ++byte) {
      address[byte] = static_cast<std::uint8_t>(prefixes[i].address.value >>
                                                (8 * (sizeof(address) - 1 - byte)));
    }
    std::memcpy(&key.address, address, sizeof(address));
    std::memcpy(bytes.data() + i * sizeof(Key), &key, sizeof(Key));
  }
  return bytes;
}

}  // namespace

PrefixIndex::PrefixIndex(std::vector<Prefix> prefixes) : prefixes_(std::move(prefixes)) {
  std::sort(prefixes_.begin(), prefixes_.end(), Before);
  prefixes_.erase(std::unique(prefixes_.begin(), prefixes_.end()), prefixes_.end());
  const auto count = static_cast<std::uint32_t>(prefixes_.size());
  ends_.assign(count, count);
  parents_.resize(count);
  std::vector<std::uint32_t> open;  // those that hold the present one, from the outside in
  for (std::uint32_t i = 0; i < count; ++i) {
    while (!open.empty() && prefixes_[open.back()].Last() < prefixes_[i].First()) {
      ends_[open.back()] = i;
      open.pop_back();
    }
    parents_[i] = open.empty() ? i : open.back();
    open.push_back(i);
  }
}

std::uint32_t PrefixIndex::Find(const Prefix& prefix) const {
  const auto at = std::lower_bound(prefixes_.begin(), prefixes_.end(), prefix, Before);
  return static_cast<std::uint32_t>(at - prefixes_.begin());
}

PrefixIndex::Range PrefixIndex::Inside(const Prefix& prefix) const {
  const std::uint32_t first = Find(prefix);
  return {first, ends_[first]};
}

std::optional<std::uint32_t> PrefixIndex::Longest(Uint128 address) const {
  const auto behind =
      std::upper_bound(prefixes_.begin(), prefixes_.end(), address,
                       [](Uint128 value, const Prefix& p) { return value < p.First(); });
  if (behind == prefixes_.begin()) return {};
  auto at = static_cast<std::uint32_t>(behind - prefixes_.begin() - 1);
  while (prefixes_[at].Last() < address) {
    if (parents_[at] == at) return {};
    at = parents_[at];
  }
  return at;
}

std::string PrefixIndex::LpmKeys() const {
  if (prefixes_.empty()) return {};
  return prefixes_[0].address.family == space::Family::kV4 ? KeysOf<bench_lpm4>(prefixes_)
                                                           : KeysOf<bench_lpm6>(prefixes_);
}

std::vector<Prefix> SourcesOf(const std::vector<tests::PlainRule>& rules) {
  std::vector<Prefix> prefixes;
  prefixes.reserve(rules.size());
  for (const auto& rule : rules) prefixes.push_back(rule.source);
  return prefixes;
}

std::vector<Prefix> DestinationsOf(const std::vector<tests::PlainRule>& rules) {
  std::vector<Prefix> prefixes;
  prefixes.reserve(rules.size());
  for (const auto& rule : rules) prefixes.push_back(rule.destination);
  return prefixes;
}

}  // namespace march::bench

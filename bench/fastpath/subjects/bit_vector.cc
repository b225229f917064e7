// Fills bpf/bit_vector.bpf.c from rules.

#include "bench/fastpath/bpf/lpm_maps.h"
#include "bench/fastpath/subjects/port_classes.h"
#include "bench/fastpath/subjects/prefix_index.h"
#include "bench/fastpath/subjects/subject.h"

namespace march::bench {
namespace {

constexpr std::size_t kMostRules = 10'000;

// As many vectors of `words` words each.
class Vectors {
 public:
  Vectors(std::size_t count, std::size_t words) : words_(words), bits_(count * words) {}

  void Set(std::size_t vector, std::size_t bit) {
    bits_[vector * words_ + bit / 64] |= std::uint64_t{1} << (bit % 64);
  }
  const std::uint64_t* data() const { return bits_.data(); }
  std::size_t count() const { return bits_.size() / words_; }
  std::size_t vector_bytes() const { return words_ * 8; }

 private:
  std::size_t words_;
  std::vector<std::uint64_t> bits_;
};

Vectors VectorsOf(const PrefixIndex& index, const std::vector<space::Prefix>& of_rules,
                  std::size_t words) {
  Vectors vectors(index.prefixes().size(), words);
  for (std::size_t rule = 0; rule < of_rules.size(); ++rule) {
    const auto inside = index.Inside(of_rules[rule]);
    for (std::uint32_t i = inside.first; i < inside.last; ++i) vectors.Set(i, rule);
  }
  return vectors;
}

class BitVector final : public ProgramSubject {
 public:
  BitVector(const Policy& policy, std::string& refusal)
      : ProgramSubject("bit-vector"),
        words_((policy.rules.size() + 63) / 64),
        object_("fastpath/bpf/bit_vector.bpf.c",
                "#define BENCH_WORDS " + std::to_string(words_) + "\n") {
    const bool v4 = policy.options.family == space::Family::kV4;
    const char* source_map = v4 ? "vector_source4" : "vector_source6";
    const char* destination_map = v4 ? "vector_destination4" : "vector_destination6";
    const PrefixIndex sources(SourcesOf(policy.rules));
    const PrefixIndex destinations(DestinationsOf(policy.rules));
    const PortClasses ports(policy.rules);
    Vectors of_ports(ports.count(), words_);
    Vectors allowed(1, words_);
    for (std::size_t i = 0; i < policy.rules.size(); ++i) {
      const auto& rule = policy.rules[i];
      if (rule.allow) allowed.Set(0, i);
      for (std::uint32_t port = ports.Of(rule.protocol, rule.first_port);
           port <= ports.Of(rule.protocol, rule.last_port); ++port) {
        of_ports.Set(port, i);
      }
    }
    const Vectors of_sources = VectorsOf(sources, SourcesOf(policy.rules), words_);
    const Vectors of_destinations = VectorsOf(destinations, DestinationsOf(policy.rules), words_);
    object_.Resize(source_map, of_sources.count());
    object_.Resize(destination_map, of_destinations.count());
    object_.Resize("vector_port", of_ports.count());
    facts_.load_seconds = SecondsOf([&] {
      if (auto refused = object_.TryLoad()) {
        refusal = *refused;
        return;
      }
      FillTrie(source_map, sources, of_sources, v4);
      FillTrie(destination_map, destinations, of_destinations, v4);
      FillArray("vector_port", of_ports);
      FillArray("vector_allowed", allowed);
      FillPorts(object_.Map("bench_ports"), ports);
    });
    facts_.instructions = object_.instructions();
    if (refusal.empty()) facts_.table_bytes = object_.MapBytes();
  }

  int program() const override { return object_.Program("bench_subject"); }

 private:
  void FillTrie(const char* map, const PrefixIndex& index, const Vectors& vectors, bool v4) const {
    UpdateMap(object_.Map(map), index.LpmKeys().data(),
              v4 ? sizeof(bench_lpm4) : sizeof(bench_lpm6), vectors.data(), vectors.vector_bytes(),
              vectors.count());
  }

  void FillArray(const char* map, const Vectors& vectors) const {
    std::vector<std::uint32_t> places(vectors.count());
    for (std::uint32_t i = 0; i < places.size(); ++i) places[i] = i;
    UpdateMap(object_.Map(map), places.data(), 4, vectors.data(), vectors.vector_bytes(),
              vectors.count());
  }

  std::size_t words_;
  BpfObject object_;
};

}  // namespace

MadeSubject MakeBitVector(const Policy& policy, const Workspace&) {
  if (policy.rules.size() > kMostRules) {
    return {nullptr, "a vector of " + std::to_string(policy.rules.size() / 8) +
                         " bytes for every prefix: not tried above " + std::to_string(kMostRules) +
                         " mappings"};
  }
  std::string refusal;
  auto subject = std::make_unique<BitVector>(policy, refusal);
  if (!refusal.empty()) return {nullptr, refusal};
  return {std::move(subject), ""};
}

}  // namespace march::bench

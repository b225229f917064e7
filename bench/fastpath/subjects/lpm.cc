// Fills bpf/lpm.bpf.c from rules.
#include <unordered_map>

#include "bench/fastpath/bpf/lpm_maps.h"
#include "bench/fastpath/subjects/port_classes.h"
#include "bench/fastpath/subjects/prefix_index.h"
#include "bench/fastpath/subjects/subject.h"

namespace march::bench {
namespace {

// More entries than this would need gigabytes in the kernel.
constexpr std::uint64_t kMostPairs = 4'000'000;

struct PairHash {
  std::size_t operator()(const bench_pair& pair) const {
    std::uint64_t hash = pair.source * 0x9e3779b97f4a7c15ULL ^ pair.l4;
    hash = (hash ^ hash >> 29) * 0xbf58476d1ce4e5b9ULL + pair.destination;
    return (hash ^ hash >> 32) * 0x94d049bb133111ebULL;
  }
};
struct PairEqual {
  bool operator()(const bench_pair& a, const bench_pair& b) const {
    return a.source == b.source && a.destination == b.destination && a.l4 == b.l4;
  }
};
using Pairs = std::unordered_map<bench_pair, std::uint32_t, PairHash, PairEqual>;

class Lpm final : public ProgramSubject {
 public:
  explicit Lpm(const Policy& policy)
      : ProgramSubject("lpm"),
        policy_(policy),
        sources_(SourcesOf(policy.rules)),
        destinations_(DestinationsOf(policy.rules)),
        ports_(policy.rules) {
    needed_ = CountPairs();
    if (needed_ <= kMostPairs) Load(AllPairs());
  }

  // A table for all traffic that would be too large is filled with what this trace asks for: the
  // least that gives its verdicts.
  std::optional<std::string> Prepare(const std::vector<tests::Packet>& trace) override {
    if (needed_ <= kMostPairs) return {};
    Load(PairsOf(trace));
    facts_.note = "filled for this trace only: a table for all traffic needs up to " +
                  std::to_string(needed_) + " entries";
    return {};
  }

  int program() const override { return object_->Program("bench_subject"); }

 private:
  std::uint64_t CountPairs() const {
    std::uint64_t count = 0;
    for (const auto& rule : policy_.rules) {
      count += sources_.Inside(rule.source).size() * destinations_.Inside(rule.destination).size() *
               (1 + ports_.Of(rule.protocol, rule.last_port) -
                ports_.Of(rule.protocol, rule.first_port));
    }
    return count;
  }

  // The first rule in precedence that asks for an entry has it.
  Pairs AllPairs() const {
    Pairs pairs;
    pairs.reserve(needed_);
    for (const auto& rule : policy_.rules) {
      const auto from = sources_.Inside(rule.source);
      const auto to = destinations_.Inside(rule.destination);
      const std::uint32_t first = ports_.Of(rule.protocol, rule.first_port);
      const std::uint32_t last = ports_.Of(rule.protocol, rule.last_port);
      for (std::uint32_t source = from.first; source < from.last; ++source) {
        for (std::uint32_t destination = to.first; destination < to.last; ++destination) {
          for (std::uint32_t l4 = first; l4 <= last; ++l4) {
            pairs.emplace(bench_pair{source, destination, l4, 0}, rule.allow);
          }
        }
      }
    }
    return pairs;
  }

  // Of the rules that could decide a packet, the first: found by the prefixes that hold its ends.
  Pairs PairsOf(const std::vector<tests::Packet>& trace) const {
    std::unordered_map<std::uint64_t, std::vector<std::uint32_t>> rules_of;
    for (std::uint32_t i = 0; i < policy_.rules.size(); ++i) {
      const auto& rule = policy_.rules[i];
      rules_of[Ends(sources_.Inside(rule.source).first,
                    destinations_.Inside(rule.destination).first)]
          .push_back(i);
    }
    Pairs pairs;
    for (const auto& packet : trace) {
      const auto source = sources_.Longest(packet.source);
      const auto destination = destinations_.Longest(packet.destination);
      if (!source || !destination) continue;
      const std::uint32_t l4 = ports_.Of(packet.protocol, packet.destination_port);
      const bench_pair pair{*source, *destination, l4, 0};
      if (pairs.count(pair) != 0) continue;
      std::uint32_t best = UINT32_MAX;
      sources_.ForEachAround(*source, [&](std::uint32_t from) {
        destinations_.ForEachAround(*destination, [&](std::uint32_t to) {
          const auto found = rules_of.find(Ends(from, to));
          if (found == rules_of.end()) return;
          for (const std::uint32_t i : found->second) {
            const auto& rule = policy_.rules[i];
            if (rule.protocol == packet.protocol && rule.first_port <= packet.destination_port &&
                rule.last_port >= packet.destination_port) {
              best = std::min(best, i);
            }
          }
        });
      });
      if (best != UINT32_MAX) pairs.emplace(pair, policy_.rules[best].allow);
    }
    return pairs;
  }

  static std::uint64_t Ends(std::uint32_t source, std::uint32_t destination) {
    return std::uint64_t{source} << 32 | destination;
  }

  void Load(const Pairs& pairs) {
    const bool v4 = policy_.options.family == space::Family::kV4;
    const char* source_map = v4 ? "lpm_source4" : "lpm_source6";
    const char* destination_map = v4 ? "lpm_destination4" : "lpm_destination6";
    object_ = std::make_unique<BpfObject>("fastpath/bpf/lpm.bpf.c");
    object_->Resize(source_map, sources_.prefixes().size());
    object_->Resize(destination_map, destinations_.prefixes().size());
    object_->Resize("lpm_pairs", pairs.size());
    std::vector<bench_pair> keys;
    std::vector<std::uint32_t> values;
    for (const auto& [key, value] : pairs) {
      keys.push_back(key);
      values.push_back(value);
    }
    facts_.load_seconds = SecondsOf([&] {
      object_->Load();
      FillTrie(source_map, sources_, v4);
      FillTrie(destination_map, destinations_, v4);
      UpdateMap(object_->Map("lpm_pairs"), keys.data(), sizeof(bench_pair), values.data(), 4,
                keys.size());
      FillPorts(object_->Map("bench_ports"), ports_);
    });
    facts_.instructions = object_->instructions();
    facts_.table_bytes = object_->MapBytes();
    facts_.note = std::to_string(pairs.size()) + " entries for " +
                  std::to_string(policy_.rules.size()) + " mappings";
  }

  void FillTrie(const char* map, const PrefixIndex& index, bool v4) const {
    std::vector<std::uint32_t> numbers(index.prefixes().size());
    for (std::uint32_t i = 0; i < numbers.size(); ++i) numbers[i] = i;
    UpdateMap(object_->Map(map), index.LpmKeys().data(),
              v4 ? sizeof(bench_lpm4) : sizeof(bench_lpm6), numbers.data(), 4, numbers.size());
  }

  const Policy& policy_;
  PrefixIndex sources_;
  PrefixIndex destinations_;
  PortClasses ports_;
  std::uint64_t needed_ = 0;
  std::unique_ptr<BpfObject> object_;
};

}  // namespace

MadeSubject MakeLpm(const Policy& policy, const Workspace&) {
  return {std::make_unique<Lpm>(policy), ""};
}

}  // namespace march::bench

// What packets are about.
#pragma once

#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

#include "bench/stateful/flows.h"

namespace march::bench {

// How much is asked of whoever judges packets: nothing; the policy's allows; what the traffic is
// for, too.
enum class Judge { kNone, kPolicy, kFeature };

struct TrafficKind {
  std::string_view name;
  std::string_view description;
  PacketKind packet;
  bool opened = false;  // connections are made first, then packets of them are mixed
  bool fresh = false;   // every packet is of a connection never seen before
  bool floods = false;  // more of them than there is room for
  // Who stops packets, and so lets this share pass; all others let all pass.
  Judge stopper = Judge::kNone;
  double least_share = 1;
  double most_share = 1;

  // Numbers of connections whose packets are mixed: those that are made. Where none is, so many
  // that every client takes part, and so few that each sends often.
  std::vector<std::uint64_t> FlowsAmong(const std::vector<std::uint64_t>& made) const {
    return opened ? made : std::vector<std::uint64_t>{20'000};
  }

  bool MayPass(Judge judge, double share) const {
    return judge < stopper ? share == 1 : share >= least_share && share <= most_share;
  }
};

const std::vector<TrafficKind>& TrafficKinds();

inline constexpr std::string_view kBlocked = "blocked";
inline constexpr std::string_view kNotBlocked = "not-blocked";
inline constexpr std::string_view kOverLimit = "over-limit";
inline constexpr std::string_view kWithinLimit = "within-limit";

// Whether a subject takes part, which names its traffic; none names all.
bool TakesPart(const std::vector<std::string_view>& names, std::string_view traffic);

// Packets a second that pass, and packets that pass at once.
struct Limit {
  std::uint64_t rate;
  std::uint64_t burst;
};

// Of a source. Nobody here sends enough for the first, and each source exceeds the second at once.
inline constexpr Limit kHighLimit = {100'000, 10'000};
inline constexpr Limit kLowLimit = {1, 1};

inline Limit LimitFor(const TrafficKind& traffic) {
  return traffic.name == kOverLimit ? kLowLimit : kHighLimit;
}

}  // namespace march::bench

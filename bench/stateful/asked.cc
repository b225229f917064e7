#include "bench/stateful/asked.h"

#include <algorithm>

#include "bench/stateful/block_list.h"

namespace march::bench {
namespace {

Asked AskLimit(const Limit& limit, const std::string& more) {
  Asked asked;
  asked.attributes = ", limit: { packets: " + std::to_string(limit.rate) +
                     ", burst: " + std::to_string(limit.burst) + more + " }";
  return asked;
}

}  // namespace

Asked AskMappingLimit(const TrafficKind& traffic, const FlowSpace& space, std::uint32_t mappings) {
  const Limit limit = LimitFor(traffic);
  const auto share = [&](std::uint64_t of) {
    return std::max<std::uint64_t>(of * space.clients() / mappings, 1);
  };
  return AskLimit({share(limit.rate), share(limit.burst)}, "");
}

Asked AskSourceLimit(const TrafficKind& traffic) {
  return AskLimit(LimitFor(traffic), ", per: source");
}

Asked AskBlockList(const TrafficKind& traffic, const FlowSpace& space, std::uint32_t prefixes) {
  Asked asked;
  asked.block_list = MakeBlockList(space, prefixes, traffic.name == kBlocked);
  asked.blocks = static_cast<std::uint32_t>(asked.block_list.size());
  return asked;
}

}  // namespace march::bench

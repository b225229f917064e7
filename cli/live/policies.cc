#include "cli/live/policies.h"

#include <limits>

#include "cli/target.h"

namespace march::cli {
namespace {

constexpr std::size_t kRemembered = 4;

// The bundle was compiled and accepted: whatever bounds its policy was given then are no matter.
pipeline::Options WithoutLimits() {
  constexpr std::uint64_t kAny = std::numeric_limits<std::uint32_t>::max();
  pipeline::Options options;
  options.sources.max_bytes = kAny;
  options.sources.max_files = kAny;
  options.parse.max_bytes = kAny;
  options.parse.max_documents = kAny;
  options.parse.max_value_bytes = kAny;
  options.parse.max_aliased_nodes = kAny;
  options.parse.max_depth = 400;
  return options;
}

}  // namespace

Outcome<std::unique_ptr<LivePolicy>> LivePolicy::FromBundle(const std::string& bytes) {
  MemoryFileSystem files;
  if (auto written = files.WriteAtomically("policy.march", bytes, 0600); !written.ok()) {
    return std::move(written).diagnostics();
  }
  std::unique_ptr<LivePolicy> live(new LivePolicy);
  live->compilation_ =
      pipeline::Compile(files, "policy.march", pipeline::Stage::kPolicy, WithoutLimits());
  if (!live->compilation_.ok()) return live->compilation_.diagnostics;
  live->explainer_ = std::make_unique<explain::Explainer>(live->policy());
  return live;
}

const LivePolicy* Policies::Of(std::uint64_t generation) {
  const auto [entry, is_new] = known_.try_emplace(generation);
  if (!is_new) return entry->second.get();
  const auto bytes = Fetch(target_, "/v1/bundle?generation=" + std::to_string(generation));
  if (bytes.ok()) {
    auto live = LivePolicy::FromBundle(*bytes);
    if (live.ok()) entry->second = *std::move(live);
  }
  const LivePolicy* found = entry->second.get();
  // Generations are counted up: the oldest is the first.
  if (known_.size() > kRemembered) {
    known_.erase(known_.begin()->first == generation ? std::next(known_.begin()) : known_.begin());
  }
  return found;
}

}  // namespace march::cli

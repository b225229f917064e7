// The policies that a gateway's generations were compiled from, out of the bundles that it keeps.
#pragma once

#include <cstdint>
#include <map>
#include <memory>
#include <string>

#include "compiler/pipeline/engines.h"
#include "compiler/pipeline/pipeline.h"

namespace march::cli {

// A policy that marchctl explains events with.
class LivePolicy {
 public:
  // Error: what is wrong with the bundle.
  static Outcome<std::unique_ptr<LivePolicy>> FromBundle(const std::string& bytes);

  const model::Policy& policy() const { return *compilation_.policy; }
  const explain::Explainer& explainer() const { return *explainer_; }

 private:
  LivePolicy() = default;

  pipeline::Compilation compilation_;
  std::unique_ptr<explain::Explainer> explainer_;
};

class Policies {
 public:
  explicit Policies(std::string target) : target_(std::move(target)) {}

  // Null if the gateway does not have it, or it cannot be read. Fetched once; the last few are
  // remembered.
  const LivePolicy* Of(std::uint64_t generation);

 private:
  std::string target_;
  std::map<std::uint64_t, std::unique_ptr<LivePolicy>> known_;
};

}  // namespace march::cli

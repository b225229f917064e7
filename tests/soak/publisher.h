// Brings policies to the gateway as an operator does: `marchctl compile`, then the control API.
// Both in the background, since traffic goes on.
#pragma once

#include <future>
#include <string>

#include "tests/soak/policy.h"

namespace march::soak {

struct PublisherPaths {
  std::string marchctl;
  std::string key;
  std::string target;     // "unix:/run/march/control.sock"
  std::string directory;  // of the policies and bundles made
};

// A policy, and what marchctl has made of it.
struct Compiled {
  Policy policy;
  std::string bundle;
};

class Publisher {
 public:
  explicit Publisher(PublisherPaths paths) : paths_(std::move(paths)) {}

  // Only one at a time. Errors of the future: std::runtime_error.
  std::future<Compiled> Compile(const Policy& policy);
  // Ready when the policy is enforced. `compiled` must live until then.
  std::future<void> Enforce(const Compiled& compiled);

 private:
  PublisherPaths paths_;
};

}  // namespace march::soak

// What the programs know of the interfaces (bundle/abi/interface.h): asked of the system, and
// written where the programs look.
#pragma once

#include <chrono>
#include <span>
#include <string>
#include <vector>

#include "base/outcome.h"
#include "bundle/abi/interface.h"
#include "runtime/bpf/kernel.h"
#include "runtime/bpf/routing.h"

namespace march::bpf {

// An interface of this network namespace, and why it is not fast although it is to be ("" if it
// is). With ifindex 0: there is no such interface.
struct Surveyed {
  march_interface entry{};
  std::string problem;
};

std::vector<Surveyed> SurveyInterfaces(std::span<const Guarded> interfaces);

// How long the programs rely on what they were told of routing: should marchd be gone, they ask the
// kernel about each connection again.
inline constexpr std::chrono::seconds kPlainFor{15};

// Says of the fast ones that routing is plain from `now` on (CLOCK_MONOTONIC), if it is.
void TellRouting(PlainRouting routing, std::chrono::nanoseconds now,
                 std::span<Surveyed> interfaces);

// Brings the array to what `interfaces` says: writes what differs, removes all others. An interface
// that finds no place is told of in its `problem`. Errors: kKernelRefused.
Outcome<Done> WriteInterfaces(int map, std::span<Surveyed> interfaces);

}  // namespace march::bpf

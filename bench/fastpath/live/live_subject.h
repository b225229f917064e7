// What judges live frames on a gateway.
#pragma once

#include <cstdint>
#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "bench/fastpath/live/gateway.h"
#include "bench/fastpath/policy.h"

namespace march::bench {

// Installed on a gateway of its own as long as it lives.
class LiveSubject {
 public:
  virtual ~LiveSubject() = default;

  // Packets that it has denied so far, by its own count; none if it does not count.
  virtual std::optional<std::uint64_t> Denied() const = 0;
  // Packets that it has judged so far, likewise.
  virtual std::optional<std::uint64_t> Judged() const { return {}; }
};

struct Installed {
  std::unique_ptr<LiveSubject> subject;
  double load_seconds = 0;
  std::string refusal;  // if there is no subject
};

struct LiveSetup {
  const Policy& policy;
  const Gateway& gateway;
  const Workspace& workspace;
  const std::vector<tests::Packet>& trace;
};

struct LiveKind {
  std::string_view name;
  std::string_view description;
  bool judges;  // by the policy
  Installed (*install)(const LiveSetup& setup);
};

const std::vector<LiveKind>& LiveKinds();

}  // namespace march::bench

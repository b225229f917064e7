// What judges live frames between two networks.
#pragma once

#include <cstdint>
#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "bench/common/workspace.h"
#include "bench/stateful/flows.h"
#include "bench/stateful/live/router.h"
#include "bench/stateful/traffic.h"

namespace march::bench {

// Installed on a gateway of its own as long as it lives. Counts are its own; none if it has none.
class LiveSubject {
 public:
  virtual ~LiveSubject() = default;

  // Packets that it has not let pass.
  virtual std::optional<std::uint64_t> Denied() const { return {}; }
  // Packets that were the first of a connection.
  virtual std::optional<std::uint64_t> Opening() const { return {}; }
  // Connections that it knows at present.
  virtual std::optional<std::uint64_t> Known() const { return {}; }
  // Has room for so many.
  virtual std::uint64_t Room() const { return UINT64_MAX; }
  virtual void ForgetConnections() {}
};

struct Installed {
  std::unique_ptr<LiveSubject> subject;
  std::string refusal;  // if there is no subject
};

struct LiveSetup {
  const Router& router;
  const Workspace& workspace;
  const FlowSpace& space;
  const TrafficKind& traffic;
  std::uint32_t mappings;  // of the policy
  std::uint32_t blocked;   // prefixes on the block list
  const std::vector<std::string>& block_list;
};

struct LiveKind {
  std::string_view name;
  std::string_view description;
  std::vector<std::string_view> traffic;  // none: all
  Judge judge;
  Installed (*install)(const LiveSetup& setup);
};

// "forward" is the first: the kernel's forwarding alone.
const std::vector<LiveKind>& LiveKinds();

inline constexpr std::string_view kForward = "forward";

Installed InstallStateless(const LiveSetup& setup);
Installed InstallFastStateless(const LiveSetup& setup);
Installed InstallConnections(const LiveSetup& setup);
Installed InstallFastConnections(const LiveSetup& setup);
Installed InstallMappingLimit(const LiveSetup& setup);
Installed InstallSourceLimit(const LiveSetup& setup);
Installed InstallBlockList(const LiveSetup& setup);
Installed InstallNftRules(const LiveSetup& setup);
Installed InstallNftConnections(const LiveSetup& setup);
Installed InstallNftSharedLimit(const LiveSetup& setup);
Installed InstallNftSourceLimit(const LiveSetup& setup);
Installed InstallNftBlock(const LiveSetup& setup);
Installed InstallIptablesConnections(const LiveSetup& setup);
Installed InstallIptablesSourceLimit(const LiveSetup& setup);
Installed InstallIpsetBlock(const LiveSetup& setup);

}  // namespace march::bench

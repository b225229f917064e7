// The maps that hold what a gateway remembers: connections and the like. They belong to no
// generation, so they outlive a change of policy, a restart and an upgrade.
//
//   DIRECTORY/layout: how to find in the maps what is in them
//   DIRECTORY/NAME, one for each map
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <vector>

#include "base/outcome.h"
#include "bundle/abi/config.h"
#include "runtime/bpf/kernel.h"
#include "runtime/bpf/unique_fd.h"

namespace march::bpf {

class StateMaps {
 public:
  // None.
  StateMaps() = default;

  // Those that `config` needs, as they are pinned; made anew where there are none, or none of the
  // size and form that is asked for now. `directory` exists; "" pins nothing. Pins of maps that are
  // not needed any more go. Errors: kKernelRefused.
  static Outcome<StateMaps> Open(const std::string& directory, const march_config& config);

  // The configuration, with the secret that what is in the maps was hashed with.
  const march_config& config() const { return config_; }
  std::vector<StateMap> maps() const;
  // -1 if it is not needed.
  int Find(const std::string& name) const;
  // By enum march_statistic, summed over the CPUs; all zero if nothing is counted. Error:
  // kKernelRefused.
  Outcome<std::vector<std::uint64_t>> ReadStatistics() const;
  // Those that had another size or form, and so begin empty.
  const std::vector<std::string>& replaced() const { return replaced_; }

  // The connections of before, if their tables have got other sizes; programs may still use them.
  struct Connections {
    march_config config{};  // as they are laid out
    UniqueFd buckets;
    UniqueFd flows;
  };
  const std::optional<Connections>& former() const { return former_; }
  void ForgetFormer() { former_.reset(); }

 private:
  struct Owned {
    std::string name;
    UniqueFd fd;
  };

  march_config config_{};
  std::vector<Owned> maps_;
  std::vector<std::string> replaced_;
  std::optional<Connections> former_;
};

}  // namespace march::bpf

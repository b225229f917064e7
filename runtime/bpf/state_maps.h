// The maps that hold what a gateway remembers: connections and the like. They belong to no
// generation, so they outlive a change of policy, a restart and an upgrade.
//
//   DIRECTORY/secret
//   DIRECTORY/NAME, one for each map
#pragma once

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
  // Those that had another size or form, and so begin empty.
  const std::vector<std::string>& replaced() const { return replaced_; }

 private:
  struct Owned {
    std::string name;
    UniqueFd fd;
  };

  march_config config_{};
  std::vector<Owned> maps_;
  std::vector<std::string> replaced_;
};

}  // namespace march::bpf

// The gateway's own addresses, where programs see them (bundle/abi/abuse.h): what comes in from one
// of them is spoofed.
#pragma once

#include <vector>

#include "base/outcome.h"
#include "bundle/abi/config.h"
#include "runtime/block/map_memory.h"
#include "runtime/block/prefix.h"

namespace march::block {

// Of all interfaces of this network namespace, but for those that never leave a host (127.0.0.0/8,
// ::1). Error: kKernelRefused.
Outcome<std::vector<Prefix>> LocalAddresses();

class OwnAddresses {
 public:
  // `fd` is the map `march_own_addresses`; of `config`, the secret. Error: kKernelRefused.
  static Outcome<OwnAddresses> Open(int fd, const march_config& config);

  // From now on these are the gateway's. An address that was one before and still is, is one all
  // the time. Returns how many there is no room for: none, up to some two hundred.
  std::size_t Set(const std::vector<Prefix>& addresses);

 private:
  OwnAddresses(MapMemory memory, const march_config& config)
      : memory_(std::move(memory)), config_(config) {}

  MapMemory memory_;
  march_config config_;
};

}  // namespace march::block

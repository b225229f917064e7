// An XDP program in the driver of an interface, as on a gateway, as long as this lives.
#pragma once

#include "bench/common/network.h"

namespace march::bench {

class AttachedXdp {
 public:
  // `interface` is an index in `place`, which outlives this.
  AttachedXdp(const Namespace& place, unsigned interface, int program);
  ~AttachedXdp();
  AttachedXdp(const AttachedXdp&) = delete;
  AttachedXdp& operator=(const AttachedXdp&) = delete;

 private:
  const Namespace& place_;
  int interface_;
};

}  // namespace march::bench

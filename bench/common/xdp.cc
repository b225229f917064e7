#include "bench/common/xdp.h"

#include <bpf/libbpf.h>
#include <linux/if_link.h>

#include "bench/common/fail.h"

namespace march::bench {

AttachedXdp::AttachedXdp(const Namespace& place, unsigned interface, int program)
    : place_(place), interface_(static_cast<int>(interface)) {
  const Namespace::Inside here(place_);
  if (bpf_xdp_attach(interface_, program, XDP_FLAGS_DRV_MODE, nullptr) != 0) {
    Fail("attach an XDP program");
  }
}

AttachedXdp::~AttachedXdp() {
  const Namespace::Inside here(place_);
  bpf_xdp_detach(interface_, XDP_FLAGS_DRV_MODE, nullptr);
}

}  // namespace march::bench

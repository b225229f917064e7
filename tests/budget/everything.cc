#include "tests/budget/everything.h"

#include <cstdlib>
#include <iostream>

#include "base/print.h"
#include "runtime/daemon/config.h"

namespace march::tests {

march_config EverythingAsked() {
  const Source source("everything.yaml", R"(apiVersion: march/v1
kind: Runtime
interfaces: [none]
trusted_keys: [/none]
control: { socket: /none }
state: /none
connections: { established: 1024, new: 1024 }
events: { drops: 1000, allows: 1000 }
limits: { entries: 1024 }
forward: fast
reject: { answer: denied, per_second: 1000 }
abuse:
  land: true
  tcp_flags: true
  martians: true
  spoofed: true
  block_list: 1024
  syn_per_source: { rate: 10 }
  icmp_per_source: { rate: 10 }
  flows_per_source: { rate: 10 }
  syn_cookies: { above: 10 }
)");
  const auto config = daemon::ParseConfig(source);
  if (!config) {
    std::cerr << TextOf(config.diagnostics());
    std::abort();
  }
  return config->gateway;
}

}  // namespace march::tests

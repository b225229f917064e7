// The generated program as marchd loads it: of a policy, with what a configuration asks for and the
// maps that outlive it.
#pragma once

#include <cstdint>
#include <string>
#include <string_view>

#include "bench/stateful/flows.h"
#include "runtime/bpf/loader.h"
#include "runtime/bpf/state_maps.h"

namespace march::bench {

// What a policy and a configuration (kind: Runtime) ask for beside verdicts.
struct Asked {
  std::string attributes;     // of each mapping: ", stateful: false" say
  std::string configuration;  // lines, each with its end
};

// A connection is not kept if it looks like another one in its place (24 bits of a hash), or if
// both of its places are full, which is rare in a table that is half full: of so many, so few may
// miss.
inline std::uint64_t MostMissing(std::uint64_t connections) {
  return connections >> 10;
}

inline constexpr std::string_view kNoConnections = "connections: { established: 0 }\n";

// Errors end the program.
class GatewayProgram {
 public:
  // `mappings` is a power of two; each of them allows to an equal part of the servers.
  GatewayProgram(std::uint32_t mappings, const Asked& asked);

  int fd() const { return program_.prog.get(); }

  // Since it was loaded. Packets that no mapping has let pass.
  std::uint64_t Denied() const;
  std::uint64_t Statistic(march_statistic which) const;
  bool keeps_connections() const { return state_.Find("march_flow_buckets") >= 0; }
  // That have ended or not, as long as nothing took their place.
  std::uint64_t Established() const;
  void ForgetConnections();

  // What the kernel made of it; 0 where it does not say.
  struct Size {
    std::uint32_t instructions = 0;  // of BPF, after what is switched off was removed
    std::uint32_t native_bytes = 0;
    std::uint64_t map_bytes = 0;  // of what outlives the program
  };
  Size size() const;

 private:
  bpf::StateMaps state_;
  bpf::Program program_;
};

}  // namespace march::bench

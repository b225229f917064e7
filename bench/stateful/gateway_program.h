// The generated program as marchd loads it: of a policy, with what a configuration asks for and the
// maps that outlive it.
#pragma once

#include <cstdint>
#include <string>
#include <vector>

#include "bench/common/network.h"
#include "bench/stateful/flows.h"
#include "runtime/bpf/loader.h"
#include "runtime/bpf/state_maps.h"

namespace march::bench {

// What a policy and a configuration (kind: Runtime) ask for beside verdicts: nothing.
struct Asked {
  std::string attributes;         // of each mapping: ", limit: { packets: 10 }" say
  std::uint64_t established = 0;  // connections
  std::uint64_t fresh = 65536;    // with these
  std::uint64_t drops = 0;        // events a second
  std::uint64_t allows = 0;       // likewise
  bool screens = false;           // all of what `abuse` has beside the block list
  std::uint32_t blocks = 0;       // room on the block list; 0: there is none
  std::vector<std::string> block_list;
  std::vector<std::string> fast;  // interfaces between which the program forwards
};

// A connection is not kept if it looks like another one in its place (24 bits of a hash), or if
// both of its places are full, which is rare in a table that is half full: of so many, so few may
// miss.
inline std::uint64_t MostMissing(std::uint64_t connections) {
  return connections >> 10;
}

// Errors end the program.
class GatewayProgram {
 public:
  // `mappings` is a power of two; each of them allows to an equal part of the servers.
  GatewayProgram(std::uint32_t mappings, const Asked& asked);

  int fd() const { return program_.prog.get(); }

  // Once it is attached to the interfaces that are to be fast.
  void LearnInterfaces(const Namespace& place) const;

  // Since it was loaded. Packets that no mapping has let pass.
  std::uint64_t Denied() const;
  std::uint64_t Statistic(march_statistic which) const;
  bool keeps_connections() const { return state_.config().flows.established != 0; }
  // That have ended or not, as long as nothing took their place.
  std::uint64_t Established() const;
  void ForgetConnections();

  struct Size {
    std::uint32_t instructions = 0;  // of BPF, after what is switched off was removed
    std::uint32_t native_bytes = 0;  // 0: there is no JIT, or the kernel hides it
    std::uint64_t state_bytes = 0;   // of the maps that outlive it
  };
  Size size() const;

 private:
  std::vector<std::string> fast_;
  bpf::StateMaps state_;
  bpf::Program program_;
};

}  // namespace march::bench

// proof.json: what `marchctl compile --prove` found out about a bundle's tables and program. A
// bundle without the file was not proved.
#pragma once

#include <cstdint>
#include <string>
#include <string_view>

#include "base/outcome.h"

namespace march::bundle {

// What was enumerated of one address family.
struct ProofOfFamily {
  std::uint64_t source_ranges = 0;  // of addresses, as the tables divide them
  std::uint64_t source_classes = 0;
  std::uint64_t destination_ranges = 0;
  std::uint64_t destination_classes = 0;
  std::uint64_t cells = 0;      // that policy or tables distinguish; each was compared
  std::uint64_t witnesses = 0;  // packets that went through the program in the kernel

  friend bool operator==(const ProofOfFamily&, const ProofOfFamily&) = default;
};

struct Proof {
  bool in_kernel = false;  // else only the tables were proved
  ProofOfFamily v4;
  ProofOfFamily v6;
  std::string digest;  // over all cells and verdicts: compiler/prove/prove.h; 64 lower-case hex

  std::uint64_t cells() const { return v4.cells + v6.cells; }
  std::uint64_t witnesses() const { return v4.witnesses + v6.witnesses; }

  friend bool operator==(const Proof&, const Proof&) = default;
};

// "kernel" or "tables".
std::string_view MethodOf(const Proof& proof);

std::string WriteProof(const Proof& proof);
// Refuses everything but what WriteProof writes. Error: kBundleMalformed.
Outcome<Proof> ReadProof(std::string_view json);

}  // namespace march::bundle

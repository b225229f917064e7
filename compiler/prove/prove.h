// The proof (design section 4): that tables and program do what the policy says, on every packet.
//
// 1. Check that each mapping has the treatment that the policy says (treatments.h).
// 2. Enumerate: every range of addresses that the tables divide (table_reader.h), and for every
//    pair of their classes the cells of layer 4 that tables or policy distinguish (cells.h).
// 3. Check that the policy tells no two addresses of a class apart, by plain matching
//    (plain_policy.h); so a pair of classes stands for all its packets.
// 4. Compare each cell's fate in the tables with what the policy says.
// 5. Send at least one packet of each cell through the program in the kernel, and compare what it
//    returns and what it counts. All edges of all ranges, ports and types take turns; and each pair
//    of classes gets one more packet, with ports that matter to its neighbour or to other mappings.
//
// Nothing of the compiler is used for it but its results.
//
// The digest is SHA-256 over: the method; default action; names of the mappings in order of
// precedence; of the default and of each mapping: 1 if it is stateless and 2 if it rejects, the
// number of its limits, their identities and what becomes of packets above them; for IPv4, then
// IPv6: every address range of sources, then of destinations (first and last address, number of its
// class); then for each class of sources, for each run of classes of destinations that have the
// same cells: how many, and the digest of Cells. Numbers are little-endian with 64 bits, texts have
// their length before them.
#pragma once

#include <cstdint>
#include <memory>
#include <span>
#include <string>
#include <vector>

#include "base/outcome.h"
#include "bundle/abi/witness.h"
#include "bundle/proof.h"
#include "compiler/classify/tables.h"
#include "compiler/model/policy.h"

namespace march::prove {

// What a program did with a witness instead of what was expected.
struct KernelMiss {
  std::size_t index = 0;
  std::uint32_t xdp_action = 0;
  std::vector<std::uint32_t> moved;  // the slots that counted it
};

// A program in the kernel. Given by whoever can reach one: the compiler cannot.
class Kernel {
 public:
  static constexpr std::size_t kMostAtOnce = std::size_t{1} << 16;

  virtual ~Kernel() = default;
  // At most kMostAtOnce, of one family. The first that were judged or counted in another way than
  // expected, in order.
  virtual Outcome<std::vector<KernelMiss>> Run(std::span<const march_witness> witnesses) = 0;
};

// A program and what it needs, as Kernels are made of.
struct KernelImage {
  const std::string& object;  // clang::BpfObject
  const std::string& tables;  // classify::Tables::Bytes
  std::uint32_t slots = 0;
  const std::string& feeder;  // the object of bpf-templates/prove/feeder.h
};

class KernelLoader {
 public:
  virtual ~KernelLoader() = default;
  // Each has a program of its own, and may run beside the others.
  virtual Outcome<std::unique_ptr<Kernel>> Load(const KernelImage& image) = 0;
};

struct ProofLimits {
  std::uint64_t max_cells = 500'000'000;
  std::uint64_t max_class_bytes = std::uint64_t{4} << 30;  // for which mappings hold which classes
};

// `kernels` are programs of these tables; without one, only the tables are proved. Errors:
// kProofFailed for each of the first packets that show it, kProofTooLarge, and those of the
// kernels.
Outcome<bundle::Proof> Prove(const model::Policy& policy, const classify::Tables& tables,
                             std::span<const std::unique_ptr<Kernel>> kernels,
                             const ProofLimits& limits = {});

}  // namespace march::prove

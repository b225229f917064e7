// The proof of treatments: that tables and program ask of every slot what the policy asks of its
// mapping beyond allow and deny. The policy is read anew here.
#pragma once

#include <optional>
#include <string>
#include <vector>

#include "bundle/abi/limit.h"
#include "compiler/prove/fault.h"
#include "compiler/prove/plain_policy.h"
#include "compiler/prove/table_reader.h"

namespace march::prove {

// What a slot asks for.
struct PlainTreatment {
  bool stateless = false;
  bool reject = false;
  std::vector<march_limit> limits;  // all of which must have room
};

// By slot, from MARCH_SLOT_DEFAULT on.
std::vector<PlainTreatment> TreatmentsOf(const PlainPolicy& policy);

// What a program for them must be able to do: MARCH_FEATURE_*.
std::uint8_t FeaturesOf(const PlainPolicy& policy, const std::vector<PlainTreatment>& treatments);

struct TreatmentFinding {
  std::uint32_t slot = 0;
  std::string what;  // "take packets of ... for stateful"
};

// The first slot whose treatment in the tables is another. Raises a fault where the tables have
// none that could be read.
std::optional<TreatmentFinding> CompareTreatments(const std::vector<PlainTreatment>& treatments,
                                                  const TableReader& tables, Fault& fault);

}  // namespace march::prove

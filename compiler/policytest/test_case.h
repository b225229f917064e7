// Documents of kind PolicyTest: what a policy is expected to do.
//
//   tests:
//     - name: payments reach the database
//       flow: "tcp payments > postgres:5432"
//       expect: allow
//       mapping: payments-to-postgres        # optional: who is to decide
#pragma once

#include <optional>
#include <string>
#include <vector>

#include "base/outcome.h"
#include "compiler/model/keys.h"
#include "compiler/model/policy.h"
#include "compiler/space/packet_set.h"
#include "compiler/yaml/document.h"

namespace march::policytest {

struct TestCase {
  std::string name;
  SourceRange place;       // of the flow
  std::string flow;        // as written
  space::PacketSet flows;  // all of them are expected to fare alike
  model::Action expect = model::Action::kDeny;
  std::optional<std::uint32_t> mapping;  // index into Policy::mappings
};

// The keys of such a document, and of a test in it.
const model::KeyTable& DocumentKeys();
const model::KeyTable& TestKeys();

// The tests of all documents of kind PolicyTest, in the order of files and places; other documents
// are passed over. All faults are reported.
Outcome<std::vector<TestCase>> ReadTests(const yaml::PolicyDoc& doc, const model::Policy& policy);

}  // namespace march::policytest

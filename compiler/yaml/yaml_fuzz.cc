// Any bytes as a policy: nothing may crash, and every place must lie inside the text. YAML that
// parses goes on to the readers of every kind of document, because they walk the nodes.
#include <cstdint>
#include <cstdlib>

#include "base/print.h"
#include "compiler/model/policy.h"
#include "compiler/ownership/ownership.h"
#include "compiler/policytest/test_case.h"
#include "compiler/yaml/document.h"
#include "compiler/yaml/format.h"

namespace march {
namespace {

void CheckRange(const SourceRange& range) {
  if (!range.valid()) return;
  if (range.begin > range.end || range.end > range.source->text().size()) std::abort();
}

void CheckDiagnostics(const Diagnostics& diagnostics) {
  for (const Diagnostic& diagnostic : diagnostics) {
    CheckRange(diagnostic.range);
    for (const Note& note : diagnostic.notes) CheckRange(note.range);
  }
  static_cast<void>(TextOf(diagnostics));
}

// An aliased node is looked at once for each time it is used; the depth limit bounds the walk.
void CheckNode(const yaml::Node& node, int& budget) {
  if (--budget < 0) return;
  CheckRange(node.range);
  for (const auto& child : node.sequence) CheckNode(*child, budget);
  for (const auto& entry : node.map) {
    CheckNode(*entry.key, budget);
    CheckNode(*entry.value, budget);
  }
}

void CheckText(std::string text) {
  const auto source = std::make_shared<const Source>("fuzz.yaml", std::move(text));
  yaml::ParseLimits limits;
  limits.max_aliased_nodes = 10'000;
  const auto doc = yaml::ParsePolicyDoc({source}, limits);
  CheckDiagnostics(doc.diagnostics());
  if (!doc) return;
  int budget = 100'000;
  for (const auto& document : doc->documents) CheckNode(*document, budget);
  const auto policy = model::BuildPolicy(*doc);
  CheckDiagnostics(policy.diagnostics());
  if (policy) {
    (void)Dump(*policy);
    CheckDiagnostics(policytest::ReadTests(*doc, *policy).diagnostics());
    CheckDiagnostics(ownership::ReadOwnership(*doc, *policy).diagnostics());
  }
  const auto formatted = yaml::Format(*source);
  CheckDiagnostics(formatted.diagnostics());
  // The layout may only change what nobody reads: the same documents, none lost.
  if (!formatted) return;
  const auto again = std::make_shared<const Source>("formatted.yaml", *formatted);
  const auto doc_again = yaml::ParsePolicyDoc({again}, limits);
  if (!doc_again || doc_again->documents.size() != doc->documents.size()) std::abort();
}

}  // namespace
}  // namespace march

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  march::CheckText(std::string(reinterpret_cast<const char*>(data), size));
  return 0;
}

#include "compiler/policytest/test_case.h"

#include <algorithm>
#include <utility>

#include "base/suggest.h"
#include "compiler/model/draft.h"
#include "compiler/model/fields.h"
#include "compiler/model/read.h"
#include "compiler/ruleset/flow_set.h"
#include "compiler/yaml/quote.h"

namespace march::policytest {
namespace {

using model::Fields;
using yaml::Entry;
using yaml::Node;
using yaml::Quoted;

// A fault in the text of a scalar, moved to where the scalar stands.
Diagnostic Moved(Diagnostic fault, const Node& node) {
  const std::uint32_t begin = node.range.begin + (node.quoted ? 1U : 0U);
  const bool literal = node.range.source->text().substr(begin, node.scalar.size()) == node.scalar;
  const SourceRange range = fault.range;
  fault.range =
      literal ? SourceRange{node.range.source, begin + range.begin, begin + range.end} : node.range;
  return fault;
}

class Reader {
 public:
  Reader(const model::Policy& policy, std::vector<TestCase>& tests, Diagnostics& out)
      : policy_(policy), tests_(tests), out_(out) {}

  void ReadDocument(const Node& document) {
    const Fields fields(document, document.range, "a test document", DocumentKeys(), out_);
    model::CheckVersion(fields, out_);
    const Entry* const tests = fields["tests"];
    if (tests == nullptr || !model::IsList(*tests->value, "tests", out_)) return;
    for (const auto& test : tests->value->sequence) {
      if (model::IsMap(*test, "a test", "write { name: ..., flow: ..., expect: ... }", out_)) {
        ReadTest(*test);
      }
    }
  }

 private:
  void ReadTest(const Node& node) {
    const Fields fields(node, node.range, "a test", TestKeys(), out_);
    TestCase test;
    if (const Entry* const name = fields["name"]) {
      test.name = model::ReadText(*name->value, "name", out_).value_or("");
    }
    if (const Entry* const expect = fields["expect"]) {
      test.expect = model::ReadAction(*expect->value, out_).value_or(test.expect);
    }
    if (const Entry* const mapping = fields["mapping"]) ReadMapping(*mapping->value, test);
    const Entry* const flow = fields["flow"];
    if (flow == nullptr || !model::IsScalar(*flow->value, "flow", out_)) return;
    test.place = flow->value->range;
    test.flow = flow->value->scalar;
    const Source text("flow", test.flow);
    auto flows = ruleset::ParseFlowSet(text, policy_);
    if (!flows) {
      out_.push_back(Moved(flows.diagnostics().front(), *flow->value));
      return;
    }
    test.flows = *std::move(flows);
    tests_.push_back(std::move(test));
  }

  void ReadMapping(const Node& node, TestCase& test) {
    if (!model::IsScalar(node, "mapping", out_)) return;
    std::vector<std::string_view> names;
    for (std::uint32_t i = 0; i < policy_.mappings.size(); ++i) {
      names.push_back(policy_.mappings[i].name);
      if (names.back() == node.scalar) test.mapping = i;
    }
    if (test.mapping) return;
    out_.push_back(MakeDiagnostic(Code::kUnknownMapping, node.range,
                                  "there is no mapping " + Quoted(node.scalar),
                                  DidYouMean(node.scalar, names)));
  }

  const model::Policy& policy_;
  std::vector<TestCase>& tests_;
  Diagnostics& out_;
};

}  // namespace

const model::KeyTable& DocumentKeys() {
  static const model::KeyTable keys = {
      {"apiVersion", true, "write apiVersion: march/v1"}, {"kind", true}, {"tests", true}};
  return keys;
}

const model::KeyTable& TestKeys() {
  static const model::KeyTable keys = {{"name", true, "say what is expected, in a few words"},
                                       {"flow", true, "write flow: \"tcp SRC > DST:PORT\""},
                                       {"expect", true, "write expect: allow or expect: deny"},
                                       {"mapping"}};
  return keys;
}

Outcome<std::vector<TestCase>> ReadTests(const yaml::PolicyDoc& doc, const model::Policy& policy) {
  std::vector<TestCase> tests;
  Diagnostics diagnostics;
  Reader reader(policy, tests, diagnostics);
  for (const auto& document : doc.documents) {
    if (model::IsDocumentOf(*document, model::kPolicyTestKind)) reader.ReadDocument(*document);
  }
  std::sort(tests.begin(), tests.end(), [](const TestCase& a, const TestCase& b) {
    return model::ComesBefore(a.place, b.place);
  });
  SortByPlace(diagnostics);
  if (HasErrors(diagnostics)) return diagnostics;
  return {std::move(tests), std::move(diagnostics)};
}

}  // namespace march::policytest

#include <algorithm>
#include <string>

#include "compiler/checks/check_draft.h"
#include "compiler/model/draft.h"
#include "compiler/model/policy.h"
#include "compiler/model/read.h"
#include "compiler/space/protocol.h"

namespace march::model {
namespace {

Draft ReadDraft(const yaml::PolicyDoc& doc, Diagnostics& out) {
  std::vector<const yaml::Node*> documents;
  documents.reserve(doc.documents.size());
  for (const auto& document : doc.documents) documents.push_back(document.get());
  std::sort(documents.begin(), documents.end(),
            [](const auto* a, const auto* b) { return ComesBefore(a->range, b->range); });
  Draft draft;
  for (const yaml::Node* const document : documents) ReadDocument(*document, draft, out);
  const auto by_name = [](const auto& a, const auto& b) {
    if (a.name.value != b.name.value) return a.name.value < b.name.value;
    return ComesBefore(a.name.place, b.name.place);
  };
  std::sort(draft.services.begin(), draft.services.end(), by_name);
  std::sort(draft.mappings.begin(), draft.mappings.end(), by_name);
  draft.service_index.reserve(draft.services.size());
  for (std::uint32_t i = 0; i < draft.services.size(); ++i) {
    draft.service_index.try_emplace(draft.services[i].name.value, i);
  }
  return draft;
}

template <class T>
void SortUnique(std::vector<T>& values) {
  std::sort(values.begin(), values.end());
  values.erase(std::unique(values.begin(), values.end()), values.end());
}

std::optional<std::vector<std::uint32_t>> ResolveNames(
    const Draft& draft, const std::optional<DraftMapping::Names>& names) {
  if (!names) return std::nullopt;
  std::vector<std::uint32_t> indices;
  indices.reserve(names->size());
  for (const auto& name : *names) indices.push_back(*FindService(draft, name.value));
  SortUnique(indices);
  return indices;
}

std::optional<std::vector<std::uint8_t>> ResolveProtocols(const DraftMapping& mapping) {
  std::vector<std::uint8_t> numbers;
  bool any = !mapping.protocols;
  if (mapping.protocols) {
    for (const auto& protocol : *mapping.protocols) {
      any |= !protocol.value;
      if (protocol.value) numbers.push_back(*protocol.value);
    }
  }
  if (any && !mapping.ports) return std::nullopt;
  if (any) numbers = {space::kTcp, space::kUdp, space::kSctp};
  SortUnique(numbers);
  return numbers;
}

std::optional<std::vector<PortRange>> ResolvePorts(const DraftMapping& mapping) {
  if (!mapping.ports) return std::nullopt;
  std::vector<space::Interval<std::uint32_t>> parts;
  for (const PortRange& range : *mapping.ports) parts.push_back({range.first, range.last});
  const space::IntervalSet<std::uint32_t> set(std::move(parts));
  std::vector<PortRange> ports;
  for (const auto& part : set.intervals()) {
    ports.push_back(
        {static_cast<std::uint16_t>(part.first), static_cast<std::uint16_t>(part.last)});
  }
  return ports;
}

// The checks found nothing wrong: all names are known and unique.
Policy Resolve(Draft&& draft) {
  Policy policy;
  if (!draft.clusters.empty()) policy.cluster = draft.clusters.front().value;
  if (!draft.default_actions.empty()) policy.default_action = draft.default_actions.front().value;
  policy.mappings.reserve(draft.mappings.size());
  for (const DraftMapping& mapping : draft.mappings) {
    policy.mappings.push_back({std::string(mapping.name.value), mapping.name.place,
                               ResolveNames(draft, mapping.from), ResolveNames(draft, mapping.to),
                               ResolveProtocols(mapping), ResolvePorts(mapping), mapping.action,
                               mapping.priority, std::string(mapping.comment)});
  }
  policy.services.reserve(draft.services.size());
  for (DraftService& service : draft.services) {
    auto addresses = space::AddressSet::Of(service.prefixes);
    policy.services.push_back({std::string(service.name.value), service.name.place,
                               std::move(service.prefixes), std::move(addresses)});
  }
  return policy;
}

}  // namespace

Outcome<Policy> BuildPolicy(const yaml::PolicyDoc& doc) {
  Diagnostics diagnostics;
  if (doc.documents.empty()) {
    return MakeDiagnostic(Code::kNoPolicyFiles, {}, "no document of kind Policy in these files",
                          "a policy begins with apiVersion: march/v1 and kind: Policy");
  }
  Draft draft = ReadDraft(doc, diagnostics);
  checks::CheckDraft(draft, diagnostics);
  SortByPlace(diagnostics);
  if (HasErrors(diagnostics)) return diagnostics;
  return {Resolve(std::move(draft)), std::move(diagnostics)};
}

}  // namespace march::model

#include <algorithm>
#include <iterator>
#include <string>

#include "base/parallel.h"
#include "compiler/checks/check_draft.h"
#include "compiler/model/draft.h"
#include "compiler/model/policy.h"
#include "compiler/model/read.h"
#include "compiler/space/icmp.h"
#include "compiler/space/protocol.h"

namespace march::model {
namespace {

// By name, then place. Definitions are large: they are moved once.
template <class Definition>
void SortByName(std::vector<Definition>& definitions) {
  std::vector<Definition*> order;
  order.reserve(definitions.size());
  for (Definition& definition : definitions) order.push_back(&definition);
  std::sort(order.begin(), order.end(), [](const Definition* a, const Definition* b) {
    if (a->name.value != b->name.value) return a->name.value < b->name.value;
    return ComesBefore(a->name.place, b->name.place);
  });
  std::vector<Definition> sorted;
  sorted.reserve(definitions.size());
  for (Definition* const definition : order) sorted.push_back(std::move(*definition));
  definitions = std::move(sorted);
}

template <class T>
void Append(std::vector<T>& all, std::vector<T>& more) {
  all.insert(all.end(), std::make_move_iterator(more.begin()), std::make_move_iterator(more.end()));
}

Draft ReadDraft(const yaml::PolicyDoc& doc, Diagnostics& out) {
  std::vector<const yaml::Node*> documents;
  documents.reserve(doc.documents.size());
  for (const auto& document : doc.documents) documents.push_back(document.get());
  std::sort(documents.begin(), documents.end(),
            [](const auto* a, const auto* b) { return ComesBefore(a->range, b->range); });
  std::vector<Draft> drafts(documents.size());
  std::vector<Diagnostics> faults(documents.size());
  ForEachInParallel(documents.size(),
                    [&](std::size_t i) { ReadDocument(*documents[i], drafts[i], faults[i]); });
  Draft draft;
  const auto count_all = [&](auto list) {
    std::size_t count = 0;
    for (const Draft& part : drafts) count += (part.*list).size();
    return count;
  };
  draft.services.reserve(count_all(&Draft::services));
  draft.mappings.reserve(count_all(&Draft::mappings));
  for (std::size_t i = 0; i < documents.size(); ++i) {
    draft.others += drafts[i].others;
    Append(draft.services, drafts[i].services);
    Append(draft.mappings, drafts[i].mappings);
    Append(draft.clusters, drafts[i].clusters);
    Append(draft.default_actions, drafts[i].default_actions);
    Append(draft.default_stateful, drafts[i].default_stateful);
    Append(draft.unenforced, drafts[i].unenforced);
    Append(out, faults[i]);
  }
  SortByName(draft.services);
  SortByName(draft.mappings);
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

std::vector<std::uint32_t> Resolve(const Draft& draft, const Names& names) {
  std::vector<std::uint32_t> indices;
  indices.reserve(names.size());
  for (const auto& name : names) indices.push_back(*FindService(draft, name.value));
  SortUnique(indices);
  return indices;
}

std::optional<std::vector<std::uint32_t>> Resolve(const Draft& draft,
                                                  const std::optional<Names>& names) {
  if (!names) return std::nullopt;
  return Resolve(draft, *names);
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
  const bool has_ports = mapping.ports || mapping.source_ports;
  if (any && !has_ports && !mapping.icmp_types) return std::nullopt;
  if (any && has_ports) numbers = {space::kTcp, space::kUdp, space::kSctp};
  if (any && !has_ports) numbers = {space::kIcmp, space::kIcmpv6};
  SortUnique(numbers);
  return numbers;
}

std::optional<std::vector<PortRange>> ResolvePorts(
    const std::optional<std::vector<PortRange>>& written) {
  if (!written) return std::nullopt;
  std::vector<space::Interval<std::uint32_t>> parts;
  for (const PortRange& range : *written) parts.push_back({range.first, range.last});
  const space::IntervalSet<std::uint32_t> set(std::move(parts));
  std::vector<PortRange> ports;
  for (const auto& part : set.intervals()) {
    ports.push_back(
        {static_cast<std::uint16_t>(part.first), static_cast<std::uint16_t>(part.last)});
  }
  return ports;
}

std::optional<std::vector<IcmpType>> ResolveTypes(const DraftMapping& mapping) {
  if (!mapping.icmp_types) return std::nullopt;
  const auto protocols = ResolveProtocols(mapping);
  std::vector<IcmpType> types;
  for (const auto& written : *mapping.icmp_types) {
    for (const std::uint8_t protocol : *protocols) {
      const DraftIcmpType& type = written.value;
      const auto number = type.name.empty() ? type.type : space::ParseIcmpType(type.name, protocol);
      if (number) types.push_back({protocol, *number, type.code});
    }
  }
  SortUnique(types);
  return types;
}

Mapping Resolve(const Draft& draft, DraftMapping&& written) {
  Mapping mapping;
  mapping.name = written.name.value;
  mapping.place = written.name.place;
  mapping.from = Resolve(draft, written.from);
  mapping.to = Resolve(draft, written.to);
  mapping.protocols = ResolveProtocols(written);
  mapping.ports = ResolvePorts(written.ports);
  mapping.source_ports = ResolvePorts(written.source_ports);
  mapping.icmp_types = ResolveTypes(written);
  mapping.action = written.action.value;
  mapping.priority = written.priority;
  mapping.audit = written.audit;
  mapping.comment = written.comment;
  mapping.attributes = std::move(written.attributes);
  mapping.stateful = written.stateful;
  mapping.limit = written.limit;
  mapping.backends = Resolve(draft, written.backends);
  return mapping;
}

Service Resolve(const Draft& draft, DraftService&& written) {
  Service service;
  service.name = written.name.value;
  service.place = written.name.place;
  service.prefixes = std::move(written.prefixes);
  service.except = std::move(written.except);
  service.fqdns = std::move(written.fqdns);
  SortUnique(service.fqdns);
  service.members = Resolve(draft, written.members);
  service.collection = written.collection;
  service.owner = written.owner;
  service.comment = written.comment;
  service.attributes = std::move(written.attributes);
  return service;
}

// Fills in what services are with their members, which come first. There are no circles.
class Effective {
 public:
  explicit Effective(std::vector<Service>& services)
      : services_(services), done_(services.size(), false) {}

  void Fill(std::uint32_t index) {
    if (done_[index]) return;
    done_[index] = true;
    Service& service = services_[index];
    service.addresses = space::AddressSet::Of(service.prefixes);
    service.has_names = !service.fqdns.empty();
    for (const std::uint32_t member : service.members) {
      Fill(member);
      service.addresses = Union(service.addresses, services_[member].addresses);
      service.has_names |= services_[member].has_names;
    }
    if (!service.except.empty()) {
      service.addresses = Subtract(service.addresses, space::AddressSet::Of(service.except));
    }
  }

 private:
  std::vector<Service>& services_;
  std::vector<bool> done_;
};

// The checks found nothing wrong: all names are known and unique.
Policy Resolve(Draft&& draft) {
  Policy policy;
  if (!draft.clusters.empty()) policy.cluster = draft.clusters.front().value;
  if (!draft.default_actions.empty()) policy.default_action = draft.default_actions.front().value;
  if (!draft.default_stateful.empty()) {
    policy.default_stateful = draft.default_stateful.front().value;
  }
  policy.mappings.resize(draft.mappings.size());
  ForEachRangeInParallel(draft.mappings.size(), [&](std::size_t begin, std::size_t end) {
    for (std::size_t i = begin; i < end; ++i) {
      policy.mappings[i] = Resolve(draft, std::move(draft.mappings[i]));
    }
  });
  policy.services.reserve(draft.services.size());
  for (DraftService& service : draft.services) {
    policy.services.push_back(Resolve(draft, std::move(service)));
  }
  Effective effective(policy.services);
  for (std::uint32_t i = 0; i < policy.services.size(); ++i) effective.Fill(i);
  policy.unenforced = std::move(draft.unenforced);
  SortByPlace(policy.unenforced);
  return policy;
}

// In a list that is sorted by name.
template <class Item>
const Item* FindByName(const std::vector<Item>& items, std::string_view name) {
  const auto found =
      std::lower_bound(items.begin(), items.end(), name,
                       [](const Item& item, std::string_view key) { return item.name < key; });
  return found != items.end() && found->name == name ? &*found : nullptr;
}

}  // namespace

const Service* FindService(const Policy& policy, std::string_view name) {
  return FindByName(policy.services, name);
}

const Mapping* FindMapping(const Policy& policy, std::string_view name) {
  return FindByName(policy.mappings, name);
}

Outcome<Policy> BuildPolicy(const yaml::PolicyDoc& doc) {
  Diagnostics diagnostics;
  Draft draft = ReadDraft(doc, diagnostics);
  if (draft.others == doc.documents.size()) {
    return MakeDiagnostic(Code::kNoPolicyFiles, {}, "no document of kind Policy in these files",
                          "a policy begins with apiVersion: march/v1 and kind: Policy");
  }
  checks::CheckDraft(draft, diagnostics);
  SortByPlace(diagnostics);
  if (HasErrors(diagnostics)) return diagnostics;
  return {Resolve(std::move(draft)), std::move(diagnostics)};
}

}  // namespace march::model

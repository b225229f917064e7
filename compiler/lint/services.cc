#include <algorithm>
#include <set>
#include <string>
#include <utility>

#include "compiler/lint/lint.h"
#include "compiler/yaml/quote.h"

namespace march::lint {
namespace {

using model::Policy;
using model::Service;
using space::Family;
using space::Uint128;

std::string Named(const Service& service) {
  return "the service " + yaml::Quoted(service.name);
}

void CheckUnused(const Policy& policy, Diagnostics& out) {
  std::vector<bool> used(policy.services.size(), false);
  std::vector<std::uint32_t> open;
  const auto use = [&](const std::vector<std::uint32_t>& indices) {
    for (const std::uint32_t index : indices) {
      if (used[index]) continue;
      used[index] = true;
      open.push_back(index);
    }
  };
  for (const model::Mapping& mapping : policy.mappings) {
    if (mapping.from) use(*mapping.from);
    if (mapping.to) use(*mapping.to);
    use(mapping.backends);
  }
  while (!open.empty()) {
    const std::uint32_t index = open.back();
    open.pop_back();
    use(policy.services[index].members);
  }
  for (std::size_t i = 0; i < used.size(); ++i) {
    if (used[i]) continue;
    const Service& service = policy.services[i];
    out.push_back(MakeDiagnostic(Code::kUnusedService, service.place,
                                 "no mapping uses " + Named(service), "use it, or remove it"));
  }
}

void CheckEmpty(const Policy& policy, Diagnostics& out) {
  for (const Service& service : policy.services) {
    if (service.has_names || !service.addresses.empty()) continue;
    const bool excluded = !service.except.empty();
    out.push_back(MakeDiagnostic(
        Code::kEmptyService, service.place,
        Named(service) + " holds no address" + (excluded ? ": \"except\" takes all of them" : ""),
        "give it addresses, or remove it"));
  }
}

// What a service itself lists; what its members list is their matter.
space::AddressSet OwnOf(const Service& service) {
  return Subtract(space::AddressSet::Of(service.prefixes), space::AddressSet::Of(service.except));
}

class Overlaps {
 public:
  explicit Overlaps(const Policy& policy) : policy_(policy) {
    for (const Service& service : policy.services) own_.push_back(OwnOf(service));
  }

  void Run(Diagnostics& out) {
    std::set<std::pair<std::uint32_t, std::uint32_t>> pairs;
    for (const Family family : {Family::kV4, Family::kV6}) Sweep(family, pairs);
    for (const auto& [a, b] : pairs) Check(a, b, out);
  }

 private:
  // Pairs of services that share an address.
  void Sweep(Family family, std::set<std::pair<std::uint32_t, std::uint32_t>>& pairs) const {
    struct Part {
      Uint128 first;
      Uint128 last;
      std::uint32_t service;
    };
    std::vector<Part> parts;
    for (std::uint32_t i = 0; i < own_.size(); ++i) {
      for (const auto& part : own_[i].In(family).intervals()) {
        parts.push_back({part.first, part.last, i});
      }
    }
    std::sort(parts.begin(), parts.end(),
              [](const Part& a, const Part& b) { return a.first < b.first; });
    std::vector<Part> open;
    for (const Part& part : parts) {
      std::erase_if(open, [&](const Part& other) { return other.last < part.first; });
      for (const Part& other : open) {
        if (other.service != part.service) {
          pairs.insert(std::minmax(other.service, part.service));
        }
      }
      open.push_back(part);
    }
  }

  bool IsWithin(std::uint32_t a, std::uint32_t b) const {
    return IsSubset(own_[a].v4, own_[b].v4) && IsSubset(own_[a].v6, own_[b].v6);
  }

  // One inside the other is a network and its hosts; two that overlap in part are a slip more often
  // than not.
  void Check(std::uint32_t a, std::uint32_t b, Diagnostics& out) const {
    if (IsWithin(a, b) || IsWithin(b, a)) return;
    const Family family = space::Overlaps(own_[a].v4, own_[b].v4) ? Family::kV4 : Family::kV6;
    const auto common = Intersect(own_[a].In(family), own_[b].In(family));
    const space::Address witness{family, common.intervals().front().first};
    const Service* first = &policy_.services[a];
    const Service* second = &policy_.services[b];
    out.push_back(MakeDiagnostic(Code::kOverlappingServices, second->place,
                                 "the services " + yaml::Quoted(first->name) + " and " +
                                     yaml::Quoted(second->name) +
                                     " share some of their addresses: " + witness.ToString(),
                                 "move what they share into a service of its own")
                      .WithNote(first->place, yaml::Quoted(first->name) + " is here"));
  }

  const Policy& policy_;
  std::vector<space::AddressSet> own_;
};

}  // namespace

void CheckServices(const Policy& policy, Diagnostics& out) {
  CheckUnused(policy, out);
  CheckEmpty(policy, out);
  Overlaps(policy).Run(out);
}

}  // namespace march::lint

#include <string>

#include "compiler/checks/check_draft.h"
#include "compiler/yaml/quote.h"

namespace march::checks {
namespace {

struct Families {
  bool v4 = false;
  bool v6 = false;

  bool empty() const { return !v4 && !v6; }
};

Families FamiliesOf(const model::DraftService& service) {
  Families families;
  for (const auto& prefix : service.prefixes) {
    (prefix.address.family == space::Family::kV4 ? families.v4 : families.v6) = true;
  }
  return families;
}

std::string_view NameOf(const Families& families) {
  return families.v4 ? "IPv4" : "IPv6";
}

}  // namespace

void CheckNoCommonFamily(const model::Draft& draft, Diagnostics& out) {
  std::vector<Families> services;
  services.reserve(draft.services.size());
  for (const auto& service : draft.services) services.push_back(FamiliesOf(service));
  const auto union_of = [&](const model::DraftMapping::Names& names) {
    Families families;
    for (const auto& name : names) {
      const Families& one = services[*model::FindService(draft, name.value)];
      families.v4 |= one.v4;
      families.v6 |= one.v6;
    }
    return families;
  };
  for (const auto& mapping : draft.mappings) {
    if (!mapping.from || !mapping.to) continue;
    const Families from = union_of(*mapping.from);
    const Families to = union_of(*mapping.to);
    if (from.empty() || to.empty() || (from.v4 && to.v4) || (from.v6 && to.v6)) continue;
    out.push_back(MakeDiagnostic(Code::kNoCommonFamily, mapping.name.place,
                                 "the mapping " + yaml::Quoted(mapping.name.value) +
                                     " matches nothing: its ends share no address family",
                                 "give both ends addresses of one family, or remove the mapping")
                      .WithNote(mapping.from->front().place,
                                "\"from\" has only " + std::string(NameOf(from)) + " addresses")
                      .WithNote(mapping.to->front().place,
                                "\"to\" has only " + std::string(NameOf(to)) + " addresses"));
  }
}

}  // namespace march::checks

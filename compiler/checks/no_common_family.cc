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

// By service, members included. A name may have addresses of both families.
class ServiceFamilies {
 public:
  explicit ServiceFamilies(const model::Draft& draft)
      : draft_(draft), known_(draft.services.size()) {}

  Families Of(const model::Names& names) {
    Families families;
    for (const auto& name : names) {
      const Families one = Of(*model::FindService(draft_, name.value));
      families.v4 |= one.v4;
      families.v6 |= one.v6;
    }
    return families;
  }

 private:
  // Services nest no deeper than CheckServiceUnions allows.
  Families Of(std::uint32_t index) {
    if (known_[index]) return *known_[index];
    const model::DraftService& service = draft_.services[index];
    Families families = Of(service.members);
    for (const auto& prefix : service.prefixes) {
      (prefix.address.family == space::Family::kV4 ? families.v4 : families.v6) = true;
    }
    if (!service.fqdns.empty()) families = {true, true};
    known_[index] = families;
    return families;
  }

  const model::Draft& draft_;
  std::vector<std::optional<Families>> known_;
};

std::string_view NameOf(const Families& families) {
  return families.v4 ? "IPv4" : "IPv6";
}

}  // namespace

void CheckNoCommonFamily(const model::Draft& draft, Diagnostics& out) {
  ServiceFamilies services(draft);
  for (const auto& mapping : draft.mappings) {
    if (!mapping.from || !mapping.to) continue;
    const Families from = services.Of(*mapping.from);
    const Families to = services.Of(*mapping.to);
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

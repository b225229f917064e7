#include <map>
#include <string>
#include <utility>

#include "compiler/ownership/change.h"

namespace march::ownership {
namespace {

using Kind = Definition::Kind;

// Texts that are equal exactly when two definitions say the same. Lengths keep parts apart.
class Text {
 public:
  Text& Add(std::string_view part) {
    text_ += std::to_string(part.size()) + ":";
    text_ += part;
    return *this;
  }
  Text& Add(std::int64_t number) { return Add(std::to_string(number)); }
  template <class List, class AddOne>
  Text& AddAll(const List& list, AddOne add_one) {
    Add(static_cast<std::int64_t>(list.size()));
    for (const auto& one : list) add_one(one);
    return *this;
  }
  std::string Take() { return std::move(text_); }

 private:
  std::string text_;
};

void AddSet(const space::AddressSet& set, Text& text) {
  for (const space::Family family : {space::Family::kV4, space::Family::kV6}) {
    text.AddAll(set.In(family).intervals(), [&](const auto& part) {
      text.Add(space::Address{family, part.first}.ToString());
      text.Add(space::Address{family, part.last}.ToString());
    });
  }
}

void AddAttributes(const std::vector<model::Attribute>& attributes, Text& text) {
  text.AddAll(attributes, [&](const model::Attribute& attribute) {
    text.Add(attribute.name).Add(attribute.value);
  });
}

std::string TextOf(const model::Policy& policy, const model::Service& service) {
  Text text;
  AddSet(space::AddressSet::Of(service.prefixes), text);
  AddSet(space::AddressSet::Of(service.except), text);
  text.AddAll(service.fqdns, [&](const std::string& name) { text.Add(name); });
  text.AddAll(service.members,
              [&](std::uint32_t member) { text.Add(policy.services[member].name); });
  text.Add(service.collection).Add(service.owner).Add(service.comment);
  AddAttributes(service.attributes, text);
  return text.Take();
}

std::string TextOf(const model::Policy& policy, const model::Mapping& mapping) {
  Text text;
  for (const auto* const end : {&mapping.from, &mapping.to}) {
    text.Add(end->has_value() ? "some" : "any");
    if (*end) {
      text.AddAll(**end, [&](std::uint32_t service) { text.Add(policy.services[service].name); });
    }
  }
  text.AddAll(ruleset::L4Of(mapping).intervals(),
              [&](const auto& part) { text.Add(part.first).Add(part.last); });
  text.AddAll(ruleset::SourcePortsOf(mapping).intervals(),
              [&](const auto& part) { text.Add(part.first).Add(part.last); });
  text.Add(ActionName(mapping.action)).Add(mapping.priority).Add(mapping.audit ? "audit" : "");
  text.Add(mapping.comment);
  AddAttributes(mapping.attributes, text);
  return text.Take();
}

std::string TextOf(const Owner& owner) {
  Text text;
  text.Add(owner.administrator ? "administrator" : "").Add(owner.comment);
  for (const auto* const list : {&owner.members, &owner.services, &owner.mappings}) {
    text.AddAll(*list, [&](const std::string& entry) { text.Add(entry); });
  }
  return text.Take();
}

// Adds what is in one list only, or in both and not `same`.
template <class Item, class Same>
void Compare(Kind kind, const std::vector<Item>& base, const std::vector<Item>& next, Same same,
             std::vector<Definition>& changed) {
  std::map<std::string_view, std::pair<const Item*, const Item*>> pairs;
  for (const Item& item : base) pairs[item.name].first = &item;
  for (const Item& item : next) pairs[item.name].second = &item;
  for (const auto& [name, pair] : pairs) {
    const auto& [was, is] = pair;
    if (was == nullptr) {
      changed.push_back({kind, name, is->place, "added"});
    } else if (is == nullptr) {
      changed.push_back({kind, name, was->place, "removed"});
    } else if (!same(*was, *is)) {
      changed.push_back({kind, name, is->place, "changed"});
    }
  }
}

}  // namespace

std::vector<Definition> ChangedDefinitions(const State& base, const State& next) {
  std::vector<Definition> changed;
  const auto same = [&](const auto& a, const auto& b) {
    return TextOf(base.policy, a) == TextOf(next.policy, b);
  };
  Compare(Kind::kService, base.policy.services, next.policy.services, same, changed);
  Compare(Kind::kMapping, base.policy.mappings, next.policy.mappings, same, changed);
  Compare(
      Kind::kOwner, base.ownership.owners, next.ownership.owners,
      [](const Owner& a, const Owner& b) {
        return TextOf(a) == TextOf(b) && SameSet(a.traffic, b.traffic);
      },
      changed);
  if (base.policy.cluster != next.policy.cluster) {
    changed.push_back({Kind::kCluster, "", {}, "changed"});
  }
  if (base.policy.default_action != next.policy.default_action ||
      base.policy.default_stateful != next.policy.default_stateful) {
    changed.push_back({Kind::kDefault, "", {}, "changed"});
  }
  return changed;
}

}  // namespace march::ownership

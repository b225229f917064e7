#include <array>
#include <cstdio>

#include "cli/verbs/explain.h"

namespace march::cli {
namespace {

constexpr std::size_t kMaxShown = 8;  // products of a region, in text

std::string Percent(double share) {
  std::array<char, 16> text{};
  std::snprintf(text.data(), text.size(), "%.4g %%", share * 100);
  return text.data();
}

std::string DeciderText(const ruleset::RuleSet& rules, const ruleset::Region& region) {
  if (!region.rule) return "none: defaults.action decides";
  const ruleset::Rule& rule = rules.rules[*region.rule];
  return rule.name + " (" + rule.place.ToString() + ")";
}

model::Action ActionOf(const ruleset::RuleSet& rules, const ruleset::Region& region) {
  return region.rule ? rules.rules[*region.rule].action : rules.default_action;
}

void PrintText(const pipeline::Compilation& compilation, const std::string& text,
               const std::vector<ruleset::Region>& regions, const space::PacketSet& whole,
               std::ostream& out) {
  out << "flows    " << text << "\n";
  for (const ruleset::Region& region : regions) {
    out << "\nverdict  " << ActionName(ActionOf(*compilation.rules, region)) << ", "
        << Percent(space::Share(region.packets, whole)) << " of these flows\n"
        << "mapping  " << DeciderText(*compilation.rules, region) << "\n";
    const auto& products = region.packets.products();
    for (std::size_t i = 0; i < products.size() && i < kMaxShown; ++i) {
      out << (i == 0 ? "packets  " : "         ") << space::Describe(products[i]) << "\n";
    }
    if (products.size() > kMaxShown) {
      out << "         and " << products.size() - kMaxShown << " more\n";
    }
  }
}

void PrintJson(const pipeline::Compilation& compilation, const std::string& text,
               const std::vector<ruleset::Region>& regions, const space::PacketSet& whole,
               std::ostream& out) {
  nlohmann::json list = nlohmann::json::array();
  for (const ruleset::Region& region : regions) {
    nlohmann::json packets = nlohmann::json::array();
    for (const auto& product : region.packets.products()) {
      packets.push_back(space::Describe(product));
    }
    const ruleset::Rule* rule = region.rule ? &compilation.rules->rules[*region.rule] : nullptr;
    list.push_back({{"verdict", ActionName(ActionOf(*compilation.rules, region))},
                    {"mapping", rule ? MappingJson(compilation.policy->mappings[rule->mapping])
                                     : nlohmann::json()},
                    {"share", space::Share(region.packets, whole)},
                    {"witness", region.packets.Witness()->ToString()},
                    {"packets", std::move(packets)}});
  }
  const nlohmann::json document = {
      {"format_version", 1}, {"flows", text}, {"regions", std::move(list)}};
  out << document.dump(2) << "\n";
}

}  // namespace

void ExplainSet(const pipeline::Compilation& compilation, const std::string& text,
                const space::PacketSet& packets, const std::string& format, std::ostream& out) {
  std::vector<ruleset::Region> regions = Decide(*compilation.rules, packets);
  for (ruleset::Region& region : regions) region.packets.Simplify();
  if (format == "json") {
    PrintJson(compilation, text, regions, packets, out);
  } else {
    PrintText(compilation, text, regions, packets, out);
  }
}

}  // namespace march::cli

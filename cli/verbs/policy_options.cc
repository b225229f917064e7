#include "cli/verbs/policy_options.h"

#include <algorithm>
#include <array>
#include <cstdint>
#include <limits>
#include <string_view>

#include "base/number.h"

namespace march::cli {
namespace {

struct Limit {
  std::string_view name;
  std::uint64_t most;  // that makes sense
  void (*set)(pipeline::Options& options, std::uint64_t value);
};

constexpr std::uint64_t kAny = std::numeric_limits<std::uint32_t>::max();
// The parser itself goes no deeper than 500.
constexpr std::uint64_t kDeepest = 400;

constexpr std::array<Limit, 6> kLimits = {{
    {"bytes", kAny,
     [](pipeline::Options& options, std::uint64_t value) {
       options.sources.max_bytes = value;
       options.parse.max_bytes = value;
     }},
    {"files", kAny,
     [](pipeline::Options& options, std::uint64_t value) { options.sources.max_files = value; }},
    {"documents", kAny,
     [](pipeline::Options& options, std::uint64_t value) { options.parse.max_documents = value; }},
    {"depth", kDeepest,
     [](pipeline::Options& options, std::uint64_t value) {
       options.parse.max_depth = static_cast<unsigned>(value);
     }},
    {"value-bytes", kAny,
     [](pipeline::Options& options, std::uint64_t value) {
       options.parse.max_value_bytes = value;
     }},
    {"aliased", kAny,
     [](pipeline::Options& options, std::uint64_t value) {
       options.parse.max_aliased_nodes = value;
     }},
}};

std::string Names() {
  std::string names;
  for (const Limit& limit : kLimits) names += (names.empty() ? "" : ", ") + std::string(limit.name);
  return names;
}

// "" or what is wrong.
std::string ReadLimit(const std::string& text, pipeline::Options& options) {
  const std::size_t equals = std::min(text.find('='), text.size());
  const std::string_view name = std::string_view(text).substr(0, equals);
  const auto found = std::find_if(kLimits.begin(), kLimits.end(),
                                  [&](const Limit& limit) { return limit.name == name; });
  if (found == kLimits.end()) {
    return "there is no limit \"" + std::string(name) + "\"; there are " + Names();
  }
  const auto value =
      ReadNumber<std::uint64_t>(std::string_view(text).substr(std::min(equals + 1, text.size())));
  if (!value || *value == 0 || *value > found->most) {
    return "write " + std::string(name) + "=N, with N from 1 to " + std::to_string(found->most);
  }
  found->set(options, *value);
  return {};
}

}  // namespace

void AddPolicyArgument(CLI::App& verb, std::string& policy) {
  verb.add_option("POLICY", policy, "File, directory, bundle or git:REV[:PATH]")->required();
}

void AddLimitOption(CLI::App& verb, pipeline::Options& options) {
  verb.add_option_function<std::vector<std::string>>(
          "--limit",
          [&options](const std::vector<std::string>& texts) {
            for (const std::string& text : texts) {
              const std::string fault = ReadLimit(text, options);
              if (!fault.empty()) throw CLI::ValidationError("--limit", fault);
            }
          },
          "Bound the policy's texts; may be repeated")
      ->type_name("NAME=N")
      ->take_all();
}

}  // namespace march::cli

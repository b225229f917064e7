// DPDK's librte_acl, in a process of its own: march-bench-acl.
#include <unistd.h>

#include <filesystem>
#include <sstream>

#include "bench/common/fail.h"
#include "bench/common/process.h"
#include "bench/fastpath/acl/rules.h"
#include "bench/fastpath/subjects/subject.h"

namespace march::bench {
namespace {

constexpr double kBuildLimitSeconds = 60;
constexpr double kMeasureLimitSeconds = 120;
constexpr std::size_t kMostRules = 100'000;

void PutAddress(std::uint8_t* at, const space::Address& address) {
  const unsigned size = space::BitsOf(address.family) / 8;
  for (unsigned i = 0; i < size; ++i) {
    at[i] = static_cast<std::uint8_t>(address.value >> (8 * (size - 1 - i)));
  }
}

std::string RulesFile(const std::vector<tests::PlainRule>& rules) {
  std::string bytes;
  for (const auto& rule : rules) {
    AclRule wire{};
    PutAddress(wire.source, rule.source.address);
    PutAddress(wire.destination, rule.destination.address);
    wire.source_length = static_cast<std::uint8_t>(rule.source.length);
    wire.destination_length = static_cast<std::uint8_t>(rule.destination.length);
    wire.first_port = rule.first_port;
    wire.last_port = rule.last_port;
    wire.protocol = rule.protocol;
    wire.allow = rule.allow ? 1 : 0;
    bytes.append(reinterpret_cast<const char*>(&wire), sizeof(wire));
  }
  return bytes;
}

std::string AclProgram() {
  return std::filesystem::read_symlink("/proc/self/exe").parent_path() / "march-bench-acl";
}

class RteAcl final : public Subject {
 public:
  RteAcl(const Policy& policy, const std::string& rules, std::string trace)
      : Subject("rte_acl"),
        family_(policy.options.family),
        trace_path_(std::move(trace)),
        program_({AclProgram(), family_ == space::Family::kV4 ? "4" : "6", rules}) {}

  // Why it cannot take part, or "".
  std::string Start() {
    const auto line = program_.Read(kBuildLimitSeconds);
    if (!line) {
      return "rte_acl_build took more than " + std::to_string(int(kBuildLimitSeconds)) + " s";
    }
    std::istringstream words(*line);
    std::string word;
    words >> word >> facts_.load_seconds >> facts_.table_bytes;
    return word == "ready" ? "" : *line;
  }

  std::optional<std::string> Prepare(const std::vector<tests::Packet>& trace) override {
    WriteFile(trace_path_, WireTrace(family_, trace, trace.size()));
    const auto answer = program_.Ask("trace " + trace_path_, kMeasureLimitSeconds);
    if (answer != "trace " + std::to_string(trace.size())) return "march-bench-acl ended";
    return {};
  }

  double Measure(Feeder&, std::uint32_t packets) override {
    const auto answer = program_.Ask("measure " + std::to_string(packets), kMeasureLimitSeconds);
    if (!answer || answer->compare(0, 3, "ns ") != 0) FailWith("march-bench-acl ended");
    return std::stod(answer->substr(3));
  }

  std::vector<bool> Verdicts(Feeder&, std::size_t count) override {
    const auto answer = program_.Ask("verdicts " + std::to_string(count), kMeasureLimitSeconds);
    if (!answer || answer->size() != count) FailWith("march-bench-acl ended");
    std::vector<bool> passed;
    for (const char digit : *answer) passed.push_back(digit == '1');
    return passed;
  }

 private:
  space::Family family_;
  std::string trace_path_;
  Conversation program_;
};

}  // namespace

MadeSubject MakeRteAcl(const Policy& policy, const Workspace& workspace) {
  if (::access(AclProgram().c_str(), X_OK) != 0) {
    return {nullptr, "march-bench-acl was not built: libdpdk was not there (Debian: libdpdk-dev)"};
  }
  if (policy.rules.size() > kMostRules) {
    return {nullptr, "rte_acl_build was not tried above " + std::to_string(kMostRules) + " rules"};
  }
  const std::string rules = workspace.path() + "/acl-rules";
  WriteFile(rules, RulesFile(policy.rules));
  auto subject = std::make_unique<RteAcl>(policy, rules, workspace.path() + "/acl-trace");
  if (std::string refusal = subject->Start(); !refusal.empty()) return {nullptr, refusal};
  return {std::move(subject), ""};
}

}  // namespace march::bench

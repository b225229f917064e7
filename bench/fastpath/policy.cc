#include "bench/fastpath/policy.h"

#include <sys/prctl.h>

#include <algorithm>
#include <chrono>
#include <csignal>
#include <filesystem>
#include <fstream>
#include <nlohmann/json.hpp>

#include "base/file_system.h"
#include "bench/common/fail.h"
#include "bench/common/process.h"
#include "bundle/abi/verdict.h"
#include "bundle/bundle.h"
#include "compiler/pipeline/pipeline.h"

namespace march::bench {
namespace {

using nlohmann::json;

constexpr double kCompileLimitSeconds = 3600;

// The largest resident set so far. ru_maxrss would not do: it starts from that of the parent, which
// holds traces and rules.
std::uint64_t PeakMemoryBytes() {
  std::ifstream status("/proc/self/status");
  for (std::string word; status >> word;) {
    std::uint64_t kibibytes = 0;
    if (word == "VmHWM:" && status >> kibibytes) return kibibytes * 1024;
  }
  FailWith("the kernel does not tell how much memory was used");
}

}  // namespace

int CompileInChild(const std::string& directory) {
  ::prctl(PR_SET_PDEATHSIG, SIGKILL);
  const DiskFileSystem files;
  const auto start = std::chrono::steady_clock::now();
  const auto compilation =
      pipeline::Compile(files, directory + "/policy", pipeline::Stage::kBundle);
  const std::chrono::duration<double> took = std::chrono::steady_clock::now() - start;
  if (!compilation.ok()) FailWith(compilation.diagnostics);
  json report = {{"seconds", took.count()},
                 {"peak_memory_bytes", PeakMemoryBytes()},
                 {"bundle_bytes", compilation.bundle->size()},
                 {"instructions", compilation.object->instructions},
                 {"slots", MARCH_SLOT_FIRST_MAPPING + compilation.rules->mappings}};
  std::vector<std::uint32_t> order;
  for (const std::uint32_t mapping : compilation.tables->mappings) {
    const std::string& name = compilation.policy->mappings[mapping].name;
    order.push_back(static_cast<std::uint32_t>(std::stoul(name.substr(1))));
  }
  report["order"] = std::move(order);
  WriteFile(directory + "/policy.march", *compilation.bundle);
  WriteFile(directory + "/report.json", report.dump());
  return 0;
}

Policy MakePolicy(const tests::RulesetOptions& options, const Workspace& workspace) {
  Policy policy;
  policy.options = options;
  const std::vector<tests::PlainRule> rules = tests::MakeRuleset(options);
  const std::string directory = workspace.path() + "/compile";
  std::filesystem::remove_all(directory);
  std::filesystem::create_directories(directory + "/policy");
  std::size_t number = 0;
  for (const std::string& text : tests::PolicyOf(rules)) {
    WriteFile(directory + "/policy/" + std::to_string(number++) + ".yaml", text);
  }
  const std::string self = std::filesystem::read_symlink("/proc/self/exe");
  const Finished compiled = RunProgram({self, "--compile", directory}, kCompileLimitSeconds);
  if (!compiled.ok) FailWith(compiled.problem);
  const json report = json::parse(ReadFile(directory + "/report.json"));
  policy.cost = {report["seconds"], report["peak_memory_bytes"], report["bundle_bytes"],
                 report["instructions"]};
  policy.slots = report["slots"];
  for (const std::uint32_t rule : report["order"]) policy.rules.push_back(rules[rule]);
  auto bundle = bundle::Read(ReadFile(directory + "/policy.march"));
  if (!bundle) FailWith(bundle.diagnostics());
  policy.object = *bundle->Find(bundle::kXdpObjectPath);
  policy.tables = *bundle->Find(bundle::kClassifierPath);
  std::filesystem::remove_all(directory);
  return policy;
}

std::vector<bool> PlainVerdicts(const std::vector<tests::PlainRule>& rules,
                                const std::vector<tests::Packet>& packets, std::size_t count) {
  std::vector<bool> allowed(count, false);
  for (std::size_t i = 0; i < count; ++i) {
    const tests::Packet& packet = packets[i];
    for (const tests::PlainRule& rule : rules) {
      if (packet.protocol != rule.protocol || packet.destination_port < rule.first_port ||
          packet.destination_port > rule.last_port || packet.source < rule.source.First() ||
          packet.source > rule.source.Last() || packet.destination < rule.destination.First() ||
          packet.destination > rule.destination.Last()) {
        continue;
      }
      allowed[i] = rule.allow;
      break;
    }
  }
  return allowed;
}

}  // namespace march::bench

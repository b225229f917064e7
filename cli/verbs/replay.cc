// marchctl replay POLICY FLOWS: the verdict on every flow of a file, in its order.
#include <algorithm>
#include <array>
#include <memory>
#include <optional>

#include "cli/exit_code.h"
#include "cli/kernel_engine.h"
#include "cli/output/report.h"
#include "cli/verbs/policy_options.h"
#include "cli/verbs/verbs.h"
#include "compiler/pipeline/engines.h"
#include "compiler/pipeline/pipeline.h"

namespace march::cli {
namespace {

constexpr std::uint64_t kMaxFlowsFile = std::uint64_t{3} << 30;
constexpr std::size_t kMaxReported = 20;
constexpr std::string_view kHeader = "proto,src,sport,dst,dport";

struct Flags {
  std::string policy;
  std::string flows;
  std::string engine = "tables";
  pipeline::Options options;
};

// One line of the file as a flow: `proto,src,sport,dst,dport`.
class FlowReader {
 public:
  explicit FlowReader(const Source& source) : source_(source) {}

  Outcome<space::Flow> Read(std::uint32_t begin, std::string_view line) const {
    std::array<std::string_view, 5> fields;
    std::size_t count = 0;
    std::size_t from = 0;
    while (from <= line.size()) {
      const std::size_t comma = std::min(line.find(',', from), line.size());
      if (count < fields.size()) fields.at(count) = line.substr(from, comma - from);
      ++count;
      from = comma + 1;
    }
    if (count != fields.size()) {
      return Bad(begin, line, "a flow has 5 fields, this line has " + std::to_string(count));
    }
    const auto at = [&](std::size_t i) {
      return begin + static_cast<std::uint32_t>(fields.at(i).data() - line.data());
    };
    space::Flow flow;
    const auto protocol = space::ParseProtocol(fields[0]);
    if (!protocol) return Bad(at(0), fields[0], "not a protocol");
    const auto source = space::Address::Parse(fields[1]);
    if (!source) return Bad(at(1), fields[1], "not an IP address");
    const auto destination = space::Address::Parse(fields[3]);
    if (!destination) return Bad(at(3), fields[3], "not an IP address");
    if (source->family != destination->family) {
      return Bad(at(3), fields[3], "source and destination are of different families");
    }
    flow.protocol = *protocol;
    flow.source = *source;
    flow.destination = *destination;
    if (source->family == space::Family::kV6 && space::IsExtensionHeader(*protocol)) {
      return Bad(at(0), fields[0], "an IPv6 extension header, never a packet's protocol");
    }
    for (const std::size_t i : {std::size_t{2}, std::size_t{4}}) {
      // Protocols without ports leave the fields empty or zero. ICMP has its type and code in the
      // place of the destination port; left empty, it is an echo request.
      const bool is_detail = i == 4 && space::IsIcmp(*protocol);
      if (is_detail && fields.at(i).empty()) {
        flow.icmp_type = space::EchoRequest(*protocol);
        continue;
      }
      const auto port = fields.at(i).empty() && !space::HasPorts(*protocol)
                            ? 0
                            : space::ParseNumber(fields.at(i), 65535);
      if (!port) return Bad(at(i), fields.at(i), "not a port (0 to 65535)");
      if (*port != 0 && !space::HasPorts(*protocol) && !is_detail) {
        return Bad(at(i), fields.at(i), "this protocol has no ports; leave the field empty");
      }
      if (i == 2) {
        flow.source_port = static_cast<std::uint16_t>(*port);
      } else {
        flow.SetDetail(static_cast<std::uint16_t>(*port));
      }
    }
    return flow;
  }

 private:
  Diagnostic Bad(std::uint32_t begin, std::string_view text, const std::string& why) const {
    return MakeDiagnostic(Code::kBadFlow,
                          {&source_, begin, begin + static_cast<std::uint32_t>(text.size())}, why,
                          "a line is " + std::string(kHeader));
  }

  const Source& source_;
};

Outcome<std::vector<space::Flow>> ReadFlows(const Source& source) {
  const FlowReader reader(source);
  std::vector<space::Flow> flows;
  Diagnostics diagnostics;
  const std::string_view text = source.text();
  for (std::size_t begin = 0; begin < text.size() && diagnostics.size() < kMaxReported;) {
    const std::size_t end = std::min(text.find('\n', begin), text.size());
    std::string_view line = text.substr(begin, end - begin);
    if (line.ends_with('\r')) line.remove_suffix(1);
    const bool header = begin == 0 && line == kHeader;
    if (!line.empty() && !header) {
      const auto flow = reader.Read(static_cast<std::uint32_t>(begin), line);
      if (flow) {
        flows.push_back(*flow);
      } else {
        diagnostics.push_back(flow.diagnostics().front());
      }
    }
    begin = end + 1;
  }
  return {std::move(flows), std::move(diagnostics)};
}

Outcome<std::unique_ptr<prove::Engine>> MakeEngine(const std::string& name,
                                                   const pipeline::Compilation& compilation) {
  if (name == "model") {
    return std::unique_ptr<prove::Engine>(
        std::make_unique<prove::ModelEngine>(*compilation.policy));
  }
  if (name == "tables") {
    return std::unique_ptr<prove::Engine>(
        std::make_unique<prove::TablesEngine>(*compilation.tables));
  }
  auto kernel = KernelEngine::Load(compilation);
  if (!kernel) return kernel.diagnostics();
  return std::unique_ptr<prove::Engine>(std::make_unique<KernelEngine>(*std::move(kernel)));
}

pipeline::Stage StageFor(const std::string& engine) {
  if (engine == "model") return pipeline::Stage::kPolicy;
  if (engine == "tables") return pipeline::Stage::kTables;
  return pipeline::Stage::kObject;
}

int Run(Environment& environment, const Flags& flags) {
  const auto compilation =
      pipeline::Compile(environment.files, flags.policy, StageFor(flags.engine), flags.options);
  const ExitCode code = Report(environment, compilation.diagnostics);
  if (code != kOk) return code;

  auto text = environment.files.Read(flags.flows, kMaxFlowsFile);
  if (!text) return Report(environment, text.diagnostics());
  const Source source(flags.flows, *std::move(text));
  const auto flows = ReadFlows(source);
  if (!flows) {
    Report(environment, flows.diagnostics());
    return kFailed;
  }
  const auto engine = MakeEngine(flags.engine, compilation);
  if (!engine) return Report(environment, engine.diagnostics());
  for (const space::Flow& flow : *flows) {
    const auto decision = (*engine)->Decide(flow);
    if (!decision) return Report(environment, decision.diagnostics());
    environment.out << model::ActionName(decision->action) << ","
                    << prove::DeciderName(*compilation.policy, *decision) << "\n";
  }
  return kOk;
}

}  // namespace

void AddReplay(CLI::App& app, Environment& environment, int& exit_code) {
  auto* verb = app.add_subcommand("replay", "Say what happens to every flow of a file");
  const auto flags = std::make_shared<Flags>();
  AddPolicyArgument(*verb, flags->policy);
  verb->add_option("FLOWS", flags->flows, "CSV: proto,src,sport,dst,dport")->required();
  verb->add_option("--engine", flags->engine, "Who decides")
      ->check(CLI::IsMember({"model", "tables", "kernel"}))
      ->capture_default_str();
  AddLimitOption(*verb, flags->options);
  verb->callback([&environment, &exit_code, flags] { exit_code = Run(environment, *flags); });
}

}  // namespace march::cli

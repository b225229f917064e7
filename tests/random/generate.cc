// march-generate SEED MAPPINGS FLOWS DIR: writes DIR/policy.yaml and DIR/flows.csv for the
// end-to-end tests, the same for the same arguments.
#include <cstdlib>
#include <iostream>
#include <string>

#include "base/file_system.h"
#include "base/print.h"
#include "compiler/pipeline/pipeline.h"
#include "compiler/space/protocol.h"
#include "tests/random/random_policy.h"

namespace {

std::string Csv(const std::vector<march::space::Flow>& flows) {
  std::string text = "proto,src,sport,dst,dport\n";
  for (const auto& flow : flows) {
    text += march::space::ProtocolName(flow.protocol) + "," + flow.source.ToString() + "," +
            std::to_string(flow.source_port) + "," + flow.destination.ToString() + "," +
            std::to_string(flow.Detail()) + "\n";
  }
  return text;
}

}  // namespace

int main(int argc, char** argv) {
  if (argc != 5) {
    std::cerr << "usage: march-generate SEED MAPPINGS FLOWS DIR\n";
    return 64;
  }
  const std::string directory = argv[4];
  march::tests::Random random(std::strtoull(argv[1], nullptr, 10));
  const auto mappings = static_cast<std::uint32_t>(std::strtoul(argv[2], nullptr, 10));
  const auto count = static_cast<std::uint32_t>(std::strtoul(argv[3], nullptr, 10));
  march::DiskFileSystem files;
  const std::string policy_path = directory + "/policy.yaml";
  const auto written =
      files.WriteAtomically(policy_path, march::tests::RandomPolicy(random, mappings), 0644);
  const auto compilation =
      march::pipeline::Compile(files, policy_path, march::pipeline::Stage::kPolicy);
  march::PrintText(written.diagnostics(), std::cerr);
  march::PrintText(compilation.diagnostics, std::cerr);
  if (!written.ok() || !compilation.ok()) return 1;
  const auto flows = march::tests::RandomFlows(random, *compilation.policy, count, false);
  return files.WriteAtomically(directory + "/flows.csv", Csv(flows), 0644).ok() ? 0 : 1;
}

#include "bench/stateful/policy.h"

#include <bit>
#include <map>

#include "bench/common/fail.h"
#include "bundle/abi/verdict.h"
#include "compiler/pipeline/pipeline.h"

namespace march::bench {
namespace {

using space::Family;
using space::Prefix;
using space::Uint128;

std::string TextOf(const PolicyOptions& options) {
  const auto bits = static_cast<unsigned>(std::countr_zero(options.mappings));
  std::string text =
      "apiVersion: march/v1\nkind: Policy\nservices:\n"
      "  clients: { addresses: [10.1.0.0/16, \"2001:db8:1::/112\"] }\n";
  std::string mappings = "mappings:\n";
  for (std::uint32_t i = 0; i < options.mappings; ++i) {
    const std::uint32_t part = i << (BENCH_MOST_BITS - bits);
    const Prefix v4 = Prefix::Of({Family::kV4, BENCH_SERVERS4 + part}, 16 + bits);
    const Prefix v6 = Prefix::Of({Family::kV6, (Uint128{BENCH_SERVERS6} << 64) + part}, 112 + bits);
    const std::string name = std::to_string(i);
    text += "  servers" + name + ": { addresses: [" + v4.ToString() + ", \"" + v6.ToString() +
            "\"] }\n";
    mappings += "  to-servers" + name + ": { from: [clients], to: [servers" + name +
                "], protocols: [tcp, udp], ports: [" + std::to_string(BENCH_SERVER_PORT) + "]" +
                options.attributes + " }\n";
  }
  return text + mappings;
}

Policy Compile(const PolicyOptions& options) {
  MemoryFileSystem files;
  if (const auto written = files.WriteAtomically("policy.yaml", TextOf(options), 0600);
      !written.ok()) {
    FailWith(written.diagnostics());
  }
  const auto compiled = pipeline::Compile(files, "policy.yaml", pipeline::Stage::kObject);
  if (!compiled.ok()) FailWith(compiled.diagnostics);
  return {compiled.object->bytes, compiled.tables->Bytes(),
          static_cast<std::uint32_t>(MARCH_SLOT_FIRST_MAPPING + compiled.rules->mappings),
          compiled.object->instructions};
}

}  // namespace

const Policy& MakePolicy(const PolicyOptions& options) {
  static std::map<PolicyOptions, Policy> made;
  const auto found = made.find(options);
  return found != made.end() ? found->second
                             : made.emplace(options, Compile(options)).first->second;
}

}  // namespace march::bench

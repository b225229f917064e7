#include "bundle/abi/verdict.h"
#include "compiler/classify/native_walk.h"
#include "compiler/prove/engine.h"

namespace march::prove {

Outcome<Decision> TablesEngine::Decide(const space::Flow& flow) {
  march_key key{};
  key.src_hi = static_cast<std::uint64_t>(flow.source.value >> 64);
  key.src_lo = static_cast<std::uint64_t>(flow.source.value);
  key.dst_hi = static_cast<std::uint64_t>(flow.destination.value >> 64);
  key.dst_lo = static_cast<std::uint64_t>(flow.destination.value);
  key.family = static_cast<std::uint32_t>(flow.source.family);
  key.l4 = flow.later_fragment ? MARCH_L4_FRAGMENT | MARCH_L4_KEY(flow.protocol, 0U)
                               : MARCH_L4_KEY(flow.protocol, std::uint32_t{flow.Detail()});
  key.source_port = flow.later_fragment ? 0 : flow.source_port;
  std::uint32_t audit = 0;
  const std::uint32_t verdict =
      march_native_classify(tables_.words.data(), tables_.words.size(), &key, &audit);
  const model::Action action = MARCH_VERDICT_ACTION(verdict) == MARCH_ACTION_ALLOW
                                   ? model::Action::kAllow
                                   : model::Action::kDeny;
  return Decision::OfSlot(tables_, action, MARCH_VERDICT_SLOT(verdict), audit);
}

}  // namespace march::prove

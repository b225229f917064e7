#include <algorithm>
#include <string>

#include "base/suggest.h"
#include "compiler/model/fields.h"
#include "compiler/model/read.h"
#include "compiler/space/icmp.h"
#include "compiler/space/protocol.h"
#include "compiler/yaml/quote.h"

namespace march::model {

std::optional<Written<DraftIcmpType>> ReadIcmpType(const yaml::Node& node, Diagnostics& out) {
  if (!IsScalar(node, "an ICMP type", out)) return std::nullopt;
  const std::string_view text = node.scalar;
  const auto& names = space::IcmpTypeNames();
  if (std::find(names.begin(), names.end(), text) != names.end()) {
    return Written<DraftIcmpType>{{text, 0, std::nullopt}, node.range};
  }
  const std::size_t slash = std::min(text.find('/'), text.size());
  const auto type = space::ParseNumber(text.substr(0, slash), 255);
  const auto code = slash < text.size() ? space::ParseNumber(text.substr(slash + 1), 255)
                                        : std::optional<std::uint32_t>();
  if (type && (code || slash == text.size())) {
    DraftIcmpType result{"", static_cast<std::uint8_t>(*type), std::nullopt};
    if (code) result.code = static_cast<std::uint8_t>(*code);
    return Written<DraftIcmpType>{result, node.range};
  }
  std::string hint = DidYouMean(text, names);
  if (hint.empty()) {
    hint = "write a name such as echo-request, a type from 0 to 255, or TYPE/CODE: 3/4";
  }
  out.push_back(MakeDiagnostic(Code::kBadIcmpType, node.range,
                               yaml::Quoted(text) + " is not an ICMP type", std::move(hint)));
  return std::nullopt;
}

}  // namespace march::model

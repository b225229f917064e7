#include "base/diagnostic.h"

#include <algorithm>
#include <tuple>

namespace march {

const std::vector<CodeInfo>& AllCodes() {
  static const std::vector<CodeInfo> codes = {
#define MARCH_CODE(name, id, severity, summary) {Code::name, id, severity, summary},
#include "base/codes.def"
#undef MARCH_CODE
  };
  return codes;
}

const CodeInfo& InfoOf(Code code) {
  return AllCodes()[static_cast<std::size_t>(code)];
}

bool HasErrors(const Diagnostics& diagnostics) {
  return std::any_of(diagnostics.begin(), diagnostics.end(),
                     [](const Diagnostic& d) { return d.severity() == Severity::kError; });
}

void SortByPlace(Diagnostics& diagnostics) {
  const auto place = [](const Diagnostic& d) {
    const std::string_view file = d.range.valid() ? d.range.source->name() : std::string_view{};
    return std::tuple(file, d.range.begin, d.code, std::string_view(d.message));
  };
  std::stable_sort(diagnostics.begin(), diagnostics.end(),
                   [&](const auto& a, const auto& b) { return place(a) < place(b); });
}

}  // namespace march

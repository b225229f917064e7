#include "runtime/control/query.h"

#include <optional>

#include "base/number.h"

namespace march::control {
namespace {

std::optional<std::string> Decode(std::string_view text) {
  std::string decoded;
  for (std::size_t i = 0; i < text.size(); ++i) {
    if (text[i] != '%') {
      decoded += text[i];
      continue;
    }
    const std::string_view digits = text.substr(i + 1, 2);
    const auto value = ReadNumber<unsigned>(digits, 16);
    if (digits.size() != 2 || !value) return std::nullopt;
    decoded += static_cast<char>(*value);
    i += 2;
  }
  return decoded;
}

}  // namespace

std::variant<Query, Refusal> ParseQuery(std::string_view target) {
  Query query;
  const std::size_t mark = target.find('?');
  if (mark == std::string_view::npos) return query;
  std::string_view rest = target.substr(mark + 1);
  while (!rest.empty()) {
    const std::string_view pair = rest.substr(0, rest.find('&'));
    rest.remove_prefix(std::min(rest.size(), pair.size() + 1));
    const std::size_t equals = pair.find('=');
    if (equals == std::string_view::npos) {
      return Refusal{400, "\"" + std::string(pair) + "\" in the query is no NAME=VALUE"};
    }
    const auto name = Decode(pair.substr(0, equals));
    const auto value = Decode(pair.substr(equals + 1));
    if (!name || !value) return Refusal{400, "a broken escape in the query"};
    if (!query.emplace(*name, *value).second) {
      return Refusal{400, "\"" + *name + "\" twice in the query"};
    }
  }
  return query;
}

}  // namespace march::control

#include <algorithm>
#include <cctype>
#include <string>
#include <vector>

#include "base/suggest.h"
#include "compiler/model/fields.h"
#include "compiler/model/read.h"
#include "compiler/space/protocol.h"
#include "compiler/yaml/quote.h"

namespace march::model {
namespace {

using yaml::Node;
using yaml::Quoted;

constexpr std::size_t kMaxName = 128;

bool IsAlphanumeric(char c) {
  return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9');
}

std::string Lowercase(std::string_view text) {
  std::string lower(text);
  for (char& c : lower) c = static_cast<char>(std::tolower(static_cast<unsigned char>(c)));
  return lower;
}

// A number with digits only, perhaps too many of them for any type.
bool IsDecimal(std::string_view digits) {
  return !digits.empty() && (digits.size() == 1 || digits[0] != '0') &&
         std::all_of(digits.begin(), digits.end(), [](char c) { return c >= '0' && c <= '9'; });
}

std::optional<Action> ActionAmong(const Node& node, const std::vector<std::string_view>& words,
                                  const std::string& fault, Diagnostics& out) {
  if (!IsScalar(node, "action", out)) return std::nullopt;
  const auto& all = ActionNames();
  if (std::find(words.begin(), words.end(), node.scalar) != words.end()) {
    return static_cast<Action>(std::find(all.begin(), all.end(), node.scalar) - all.begin());
  }
  std::string hint = DidYouMean(Lowercase(node.scalar), words);
  if (hint.empty()) hint = "write " + ListOf(words);
  out.push_back(
      MakeDiagnostic(Code::kUnknownWord, node.range, Quoted(node.scalar) + fault, std::move(hint)));
  return std::nullopt;
}

std::string ProtocolHint(const std::string& word) {
  // The names other tools use for it are nearer to icmp by their letters.
  if (word == "icmp6" || word == "ipv6-icmp") return "did you mean \"icmpv6\"?";
  std::vector<std::string_view> known = space::ProtocolNames();
  known.push_back("any");
  std::string hint = DidYouMean(word, known);
  if (hint.empty()) hint = "write tcp, udp, sctp, icmp, icmpv6, any, or a number from 0 to 255";
  return hint;
}

}  // namespace

bool IsName(std::string_view text) {
  return !text.empty() && text.size() <= kMaxName && IsAlphanumeric(text[0]) &&
         std::all_of(text.begin(), text.end(),
                     [](char c) { return IsAlphanumeric(c) || c == '.' || c == '_' || c == '-'; });
}

std::optional<Written<std::string_view>> ReadName(const Node& node, std::string_view what,
                                                  Diagnostics& out) {
  if (!IsScalar(node, what, out)) return std::nullopt;
  if (!IsName(node.scalar)) {
    const bool too_long = node.scalar.size() > kMaxName;
    out.push_back(MakeDiagnostic(
        Code::kBadName, node.range,
        too_long ? std::string(what) + " is longer than " + std::to_string(kMaxName) + " characters"
                 : Quoted(node.scalar) + " cannot be " + std::string(what),
        too_long ? "shorten it"
                 : "a name begins with a letter or digit and goes on with letters, digits, \".\", "
                   "\"_\" and \"-\""));
  }
  return Written<std::string_view>{node.scalar, node.range};
}

std::optional<std::string_view> ReadText(const Node& node, std::string_view what,
                                         Diagnostics& out) {
  if (!IsScalar(node, what, out)) return std::nullopt;
  return node.scalar;
}

std::optional<Action> ReadAction(const Node& node, Diagnostics& out) {
  return ActionAmong(node, ActionNames(), " is not an action", out);
}

std::optional<Action> ReadDefaultAction(const Node& node, Diagnostics& out) {
  return ActionAmong(node, {"allow", "deny"}, " cannot be the default action", out);
}

std::optional<bool> ReadFlag(const Node& node, std::string_view what, Diagnostics& out) {
  if (!IsScalar(node, what, out)) return std::nullopt;
  const bool is_true = node.scalar == "true";
  if (!node.quoted && (is_true || node.scalar == "false")) return is_true;
  // YAML 1.1 had more words for it, and they are still written.
  const std::string word = Lowercase(node.scalar);
  const bool means_true = word == "true" || word == "yes" || word == "on" || word == "1";
  const bool means_false = word == "false" || word == "no" || word == "off" || word == "0";
  out.push_back(
      MakeDiagnostic(Code::kWrongType, node.range,
                     std::string(what) + " must be true or false, not " + Quoted(node.scalar),
                     means_true    ? "write true"
                     : means_false ? "write false"
                                   : ""));
  return std::nullopt;
}

std::optional<std::int32_t> ReadPriority(const Node& node, Diagnostics& out) {
  if (!IsScalar(node, "priority", out)) return std::nullopt;
  const std::string_view text = node.scalar;
  const bool negative = text.starts_with("-");
  const std::string_view digits = text.substr(negative ? 1 : 0);
  if (node.quoted) {
    out.push_back(MakeDiagnostic(Code::kWrongType, node.range,
                                 "priority must be a number, not text",
                                 IsDecimal(digits) ? "write " + std::string(text) : ""));
    return std::nullopt;
  }
  if (!IsDecimal(digits)) {
    out.push_back(MakeDiagnostic(
        Code::kWrongType, node.range, Quoted(text) + " is not a whole decimal number",
        "write digits only, perhaps behind a \"-\": no leading zeros, \"+\", \"_\", 0x or 0o"));
    return std::nullopt;
  }
  static_assert(-kMinPriority == kMaxPriority);
  const auto size = space::ParseNumber(digits, static_cast<std::uint32_t>(kMaxPriority));
  if (!size) {
    out.push_back(MakeDiagnostic(Code::kBadPriority, node.range,
                                 "the priority " + Quoted(text) + " is out of range",
                                 "priorities go from " + std::to_string(kMinPriority) + " to " +
                                     std::to_string(kMaxPriority)));
    return std::nullopt;
  }
  const auto value = static_cast<std::int32_t>(*size);
  return negative ? -value : value;
}

std::optional<DraftMapping::Protocol> ReadProtocol(const Node& node, Diagnostics& out) {
  if (!IsScalar(node, "a protocol", out)) return std::nullopt;
  if (node.scalar == "any") return DraftMapping::Protocol{std::nullopt, node.range};
  if (const auto number = space::ParseProtocol(node.scalar)) {
    return DraftMapping::Protocol{number, node.range};
  }
  const bool number = IsDecimal(node.scalar);
  out.push_back(MakeDiagnostic(
      Code::kUnknownWord, node.range,
      number ? "there is no protocol " + node.scalar : Quoted(node.scalar) + " is not a protocol",
      number ? "protocol numbers go from 0 to 255" : ProtocolHint(Lowercase(node.scalar))));
  return std::nullopt;
}

}  // namespace march::model

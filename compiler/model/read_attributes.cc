#include <algorithm>
#include <nlohmann/json.hpp>
#include <string>

#include "base/suggest.h"
#include "compiler/model/attributes.h"
#include "compiler/model/fields.h"
#include "compiler/model/read.h"
#include "compiler/space/protocol.h"
#include "compiler/yaml/quote.h"

namespace march::model {
namespace {

using nlohmann::json;
using yaml::Node;
using yaml::Quoted;
using Kind = Form::Kind;

std::string Joined(const std::vector<std::string_view>& words) {
  std::string text;
  for (const std::string_view word : words) {
    text += (text.empty() ? "" : ", ") + std::string(word);
  }
  return text;
}

// Whether the member says what is meant without it.
bool IsStandard(const Member& member, const json& value) {
  if (member.standard.empty()) return false;
  return (value.is_string() ? value.get<std::string>() : value.dump()) == member.standard;
}

// Reads values of one attribute into canonical JSON; what cannot be read is reported and null.
class Reader {
 public:
  Reader(Names& services, Diagnostics& out) : services_(services), out_(out) {}

  json Read(const Node& node, const Form& form, std::string_view what) {
    if (!form.list) return ReadOne(node, form, what);
    if (!IsList(node, what, out_)) return {};
    json values = json::array();
    for (const auto& entry : node.sequence) values.push_back(ReadOne(*entry, form, what));
    if (values.empty()) {
      Refuse(Code::kEmptyList, node, "an empty list: " + Quoted(what) + " would match nothing",
             "remove the key, or give it an entry");
    }
    // Routes are tried in their order; of everything else the order means nothing.
    if (form.kind != Kind::kMap) std::sort(values.begin(), values.end());
    return values;
  }

 private:
  void Refuse(Code code, const Node& node, std::string message, std::string hint) {
    out_.push_back(MakeDiagnostic(code, node.range, std::move(message), std::move(hint)));
  }

  json ReadOne(const Node& node, const Form& form, std::string_view what) {
    if (form.kind == Kind::kMap) return ReadMap(node, form, what);
    if (!IsScalar(node, what, out_)) return {};
    switch (form.kind) {
      case Kind::kWord:
      case Kind::kNumber:
      case Kind::kWordOrNumber:
        return ReadWordOrNumber(node, form, what);
      case Kind::kFlag:
        return ReadFlag(node, what, out_).value_or(false);
      case Kind::kDuration:
        return ReadDuration(node, what);
      case Kind::kHostname:
        return ReadHostname(node, out_).value_or("");
      case Kind::kService:
        services_.push_back({node.scalar, node.range});
        return node.scalar;
      case Kind::kPath:
        if (node.scalar.starts_with("/")) return node.scalar;
        Refuse(Code::kBadValue, node, Quoted(node.scalar) + " is not a path",
               "a path begins with \"/\"");
        return {};
      case Kind::kUrl:
        if (node.scalar.starts_with("https://") && node.scalar.size() > 8) return node.scalar;
        Refuse(Code::kBadValue, node, Quoted(node.scalar) + " is not an https URL",
               "write https://...");
        return {};
      case Kind::kText:
      case Kind::kMap:
        break;
    }
    return node.scalar;
  }

  json ReadWordOrNumber(const Node& node, const Form& form, std::string_view what) {
    if (std::find(form.words.begin(), form.words.end(), node.scalar) != form.words.end()) {
      return node.scalar;
    }
    if (form.kind == Kind::kWord) {
      std::string hint = DidYouMean(node.scalar, form.words);
      if (hint.empty()) hint = "write one of " + Joined(form.words);
      Refuse(Code::kUnknownWord, node, Quoted(node.scalar) + " is no value of " + Quoted(what),
             std::move(hint));
      return {};
    }
    if (const auto number = ParseNumber64(node.scalar)) {
      if (form.least <= *number && *number <= form.most) return *number;
    }
    std::string hint = DidYouMean(node.scalar, form.words);
    if (hint.empty()) {
      hint =
          "write a number from " + std::to_string(form.least) + " to " + std::to_string(form.most);
      if (form.kind == Kind::kWordOrNumber) hint += ", or one of " + Joined(form.words);
    }
    Refuse(Code::kBadValue, node, Quoted(node.scalar) + " is no value of " + Quoted(what),
           std::move(hint));
    return {};
  }

  static std::optional<std::uint64_t> ParseNumber64(std::string_view text) {
    constexpr std::size_t kMaxDigits = 18;
    if (text.empty() || text.size() > kMaxDigits || (text.size() > 1 && text[0] == '0') ||
        text.find_first_not_of("0123456789") != std::string_view::npos) {
      return std::nullopt;
    }
    return std::stoull(std::string(text));
  }

  // In milliseconds.
  json ReadDuration(const Node& node, std::string_view what) {
    const std::string_view text = node.scalar;
    const std::size_t unit_at = std::min(text.find_first_not_of("0123456789"), text.size());
    const auto count = ParseNumber64(text.substr(0, unit_at));
    const std::string_view unit = text.substr(unit_at);
    constexpr std::uint64_t kDay = 86'400'000;
    for (const auto& [name, milliseconds] : {std::pair<std::string_view, std::uint64_t>{"ms", 1},
                                             {"s", 1000},
                                             {"m", 60'000},
                                             {"h", 3'600'000}}) {
      if (unit != name || !count || *count == 0 || *count > kDay / milliseconds) continue;
      return *count * milliseconds;
    }
    Refuse(Code::kBadValue, node, Quoted(text) + " is no value of " + Quoted(what),
           "write a duration of at most a day, as in 500ms, 10s, 5m or 1h");
    return {};
  }

  json ReadMap(const Node& node, const Form& form, std::string_view what) {
    KeyTable keys;
    std::vector<std::string_view> names;
    for (const Member& member : form.members) {
      keys.push_back({member.name, member.required});
      names.push_back(member.name);
    }
    if (!IsMap(node, what, "write { " + std::string(names.front()) + ": ... }", out_)) return {};
    const Fields fields(node, node.range, Quoted(what), keys, out_);
    json value = json::object();
    for (const Member& member : form.members) {
      const yaml::Entry* const entry = fields[member.name];
      if (entry == nullptr) continue;
      json read = Read(*entry->value, member.form, member.name);
      if (!IsStandard(member, read)) value[std::string(member.name)] = std::move(read);
    }
    const bool has_one = form.one_of.empty() || std::any_of(form.one_of.begin(), form.one_of.end(),
                                                            [&](std::string_view name) {
                                                              return fields[name] != nullptr;
                                                            });
    if (!has_one && !fields.refused()) {
      Refuse(Code::kMissingKey, node,
             Quoted(what) + " needs one of the keys " + Joined(form.one_of), "");
    }
    return value;
  }

  Names& services_;
  Diagnostics& out_;
};

}  // namespace

std::vector<Attribute> ReadAttributes(const Fields& fields, const std::vector<Member>& members,
                                      Names& services, Diagnostics& out) {
  std::vector<Attribute> attributes;
  for (const Member& member : members) {
    const yaml::Entry* const entry = fields[member.name];
    if (entry == nullptr) continue;
    const json value = Reader(services, out).Read(*entry->value, member.form, member.name);
    if (IsStandard(member, value)) continue;
    attributes.push_back({std::string(member.name),
                          value.dump(-1, ' ', true, json::error_handler_t::replace),
                          entry->key->range});
  }
  std::sort(attributes.begin(), attributes.end(),
            [](const Attribute& a, const Attribute& b) { return a.name < b.name; });
  return attributes;
}

}  // namespace march::model

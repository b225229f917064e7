#include "bundle/strict_json.h"

#include <algorithm>
#include <set>
#include <utility>
#include <vector>

#include "bundle/text.h"

namespace march::bundle {
namespace {

using nlohmann::json;

constexpr std::size_t kMaxDepth = 8;

// Thrown out of the parser, which has no other way to stop early; never leaves this file.
struct Refused {
  std::string why;
};

// Watches the parser for what its document model would hide.
class Watcher {
 public:
  bool operator()(json::parse_event_t event, const json& parsed) {
    switch (event) {
      case json::parse_event_t::object_start:
      case json::parse_event_t::array_start:
        if (keys_.size() == kMaxDepth) throw Refused{"nests too deeply"};
        keys_.emplace_back();
        break;
      case json::parse_event_t::object_end:
      case json::parse_event_t::array_end:
        keys_.pop_back();
        break;
      case json::parse_event_t::key: {
        const auto& key = parsed.get_ref<const std::string&>();
        if (!keys_.back().insert(key).second)
          throw Refused{"has the key " + Quoted(key) + " twice"};
        break;
      }
      case json::parse_event_t::value:
        break;
    }
    return true;
  }

 private:
  std::vector<std::set<std::string>> keys_;  // of each open object or array
};

template <class T>
std::optional<std::int32_t> Narrow(T value) {
  if (!std::in_range<std::int32_t>(value)) return std::nullopt;
  return static_cast<std::int32_t>(value);
}

// JSON has neither NUL nor a byte order mark, but the parser takes the first for the end of the
// input and skips the second.
std::size_t FindForeign(std::string_view text) {
  return text.starts_with("\xEF\xBB\xBF") ? 0 : text.find('\0');
}

Diagnostic NotJson(const std::string& what, std::size_t byte) {
  return Malformed(what + " is not JSON: error at byte " + std::to_string(byte));
}

}  // namespace

Outcome<json> ParseStrictJson(std::string_view text, const std::string& what) {
  if (const std::size_t at = FindForeign(text); at != std::string_view::npos) {
    return NotJson(what, at + 1);
  }
  Watcher watcher;
  const auto watch = [&watcher](int /*depth*/, json::parse_event_t event, const json& parsed) {
    return watcher(event, parsed);
  };
  try {
    return json::parse(text, watch);
  } catch (const Refused& refused) {
    return Malformed(what + " " + refused.why);
  } catch (const json::parse_error& error) {
    return NotJson(what, error.byte);
  } catch (const json::exception&) {
    return Malformed(what + " holds a number out of range");
  }
}

std::string DumpJson(const json& document) {
  return document.dump(2, ' ', false, json::error_handler_t::replace) + "\n";
}

std::string JsonString(std::string_view text) {
  const auto is_plain = [](unsigned char c) {
    return c >= 0x20 && c < 0x7F && c != '"' && c != '\\';
  };
  if (!std::all_of(text.begin(), text.end(), is_plain)) {
    return json(text).dump(-1, ' ', false, json::error_handler_t::replace);
  }
  return '"' + std::string(text) + '"';
}

ObjectReader::ObjectReader(const json& value, std::string where)
    : value_(value), where_(std::move(where)) {
  Require(value_.is_object(), "is not an object");
}

const json& ObjectReader::Take(const std::string& key) {
  static const json kNothing;
  if (problem_) return kNothing;
  known_.push_back(key);
  const auto member = value_.find(key);
  Require(member != value_.end(), "has no key " + Quoted(key));
  if (problem_) return kNothing;
  return *member;
}

std::string ObjectReader::String(const std::string& key) {
  const json& member = Take(key);
  Require(member.is_string(), key + " is not a string");
  return problem_ ? std::string() : member.get<std::string>();
}

std::uint64_t ObjectReader::Unsigned(const std::string& key) {
  const json& member = Take(key);
  Require(member.is_number_unsigned(), key + " is not an unsigned 64-bit integer");
  return problem_ ? 0 : member.get<std::uint64_t>();
}

std::int32_t ObjectReader::Int32(const std::string& key) {
  const json& member = Take(key);
  std::optional<std::int32_t> value;
  if (member.is_number_unsigned()) {
    value = Narrow(member.get<std::uint64_t>());
  } else if (member.is_number_integer()) {
    value = Narrow(member.get<std::int64_t>());
  }
  Require(value.has_value(), key + " is not a 32-bit integer");
  return value.value_or(0);
}

bool ObjectReader::Flag(const std::string& key) {
  const json& member = Take(key);
  Require(member.is_boolean(), key + " is neither true nor false");
  return member.is_boolean() && member.get<bool>();
}

const json& ObjectReader::Array(const std::string& key) {
  static const json kEmpty = json::array();
  const json& member = Take(key);
  Require(member.is_array(), key + " is not an array");
  return problem_ ? kEmpty : member;
}

const json& ObjectReader::Object(const std::string& key) {
  static const json kEmpty = json::object();
  const json& member = Take(key);
  Require(member.is_object(), key + " is not an object");
  return problem_ ? kEmpty : member;
}

bool ObjectReader::Has(const std::string& key) const {
  return value_.contains(key);
}

void ObjectReader::Require(bool holds, const std::string& message) {
  if (!holds && !problem_) problem_ = Malformed(where_ + ": " + message);
}

const std::optional<Diagnostic>& ObjectReader::Finish() {
  if (problem_ || value_.size() == known_.size()) return problem_;
  for (const auto& [key, member] : value_.items()) {
    const bool known = std::find(known_.begin(), known_.end(), key) != known_.end();
    Require(known, "unknown key " + Quoted(key));
  }
  return problem_;
}

}  // namespace march::bundle

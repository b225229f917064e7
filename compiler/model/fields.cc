#include "compiler/model/fields.h"

#include <algorithm>
#include <string>

#include "base/suggest.h"
#include "compiler/yaml/quote.h"

namespace march::model {
namespace {

using yaml::Node;
using yaml::Quoted;

std::string KeyHint(std::string_view word, const KeyTable& keys) {
  std::vector<std::string_view> known;
  for (const Key& key : keys) known.push_back(key.name);
  std::string near = DidYouMean(word, known);
  if (!near.empty()) return near;
  near = "the keys here are";
  const char* separator = " ";
  for (const Key& key : keys) {
    near += separator + std::string(key.name);
    separator = ", ";
  }
  return near;
}

std::string_view KindName(Node::Kind kind) {
  switch (kind) {
    case Node::Kind::kNull:
      return "nothing";
    case Node::Kind::kScalar:
      return "a single value";
    case Node::Kind::kSequence:
      return "a list";
    case Node::Kind::kMap:
      return "a map";
  }
  return {};
}

// How to write the scalar as a list; the source text keeps its quotes.
std::string InBrackets(const Node& node) {
  constexpr std::size_t kShort = 60;
  const std::string_view token =
      node.range.source->text().substr(node.range.begin, node.range.end - node.range.begin);
  if (token.size() > kShort || token.find('\n') != std::string_view::npos) {
    return "write the list in brackets, its entries separated by commas";
  }
  return "write [" + std::string(token) + "]";
}

Diagnostic WrongType(const Node& node, std::string_view what, std::string_view wanted,
                     std::string hint) {
  return MakeDiagnostic(Code::kWrongType, node.range,
                        std::string(what) + " must be " + std::string(wanted) + ", not " +
                            std::string(KindName(node.kind)),
                        std::move(hint));
}

}  // namespace

Fields::Fields(const Node& node, SourceRange place, std::string_view what, const KeyTable& keys,
               Diagnostics& out)
    : keys_(keys), entries_(keys.size(), nullptr) {
  for (const yaml::Entry& entry : node.map) Take(entry, what, out);
  // What is missing may be what a key that was refused was meant to say.
  if (refused_) return;
  for (std::size_t i = 0; i < keys_.size(); ++i) {
    if (!keys_[i].required || entries_[i] != nullptr) continue;
    out.push_back(MakeDiagnostic(Code::kMissingKey, place,
                                 std::string(what) + " needs the key " + Quoted(keys_[i].name),
                                 std::string(keys_[i].hint)));
  }
}

void Fields::Take(const yaml::Entry& entry, std::string_view what, Diagnostics& out) {
  const Node& key = *entry.key;
  if (key.kind != Node::Kind::kScalar) {
    out.push_back(WrongType(key, "a key", "a word", {}));
    return;
  }
  const auto known =
      std::find_if(keys_.begin(), keys_.end(), [&](const Key& k) { return k.name == key.scalar; });
  if (known == keys_.end()) {
    refused_ = true;
    out.push_back(MakeDiagnostic(Code::kUnknownKey, key.range,
                                 std::string(what) + " has no key " + Quoted(key.scalar),
                                 KeyHint(key.scalar, keys_)));
    return;
  }
  const yaml::Entry*& slot = entries_[static_cast<std::size_t>(known - keys_.begin())];
  if (slot != nullptr) {
    out.push_back(MakeDiagnostic(Code::kDuplicateKey, key.range,
                                 "the key " + Quoted(key.scalar) + " is given twice",
                                 "keep one of them")
                      .WithNote(slot->key->range, "first given here"));
    return;
  }
  slot = &entry;
}

const yaml::Entry* Fields::operator[](std::string_view key) const {
  for (std::size_t i = 0; i < keys_.size(); ++i) {
    if (keys_[i].name == key) return entries_[i];
  }
  return nullptr;
}

bool IsDocumentOf(const Node& document, std::string_view kind) {
  if (document.kind != Node::Kind::kMap) return false;
  return std::any_of(document.map.begin(), document.map.end(), [&](const yaml::Entry& entry) {
    return entry.key->scalar == "kind" && entry.value->kind == Node::Kind::kScalar &&
           entry.value->scalar == kind;
  });
}

bool CheckVersion(const Fields& fields, Diagnostics& out) {
  const yaml::Entry* const version = fields["apiVersion"];
  if (version == nullptr) return true;
  if (!IsScalar(*version->value, "apiVersion", out)) return false;
  if (version->value->scalar == kApiVersion) return true;
  out.push_back(
      MakeDiagnostic(Code::kUnknownVersion, version->value->range,
                     "the apiVersion " + Quoted(version->value->scalar) + " is not known here",
                     "write " + std::string(kApiVersion)));
  return false;
}

bool IsMap(const Node& node, std::string_view what, std::string_view hint, Diagnostics& out) {
  if (node.kind == Node::Kind::kMap) return true;
  out.push_back(WrongType(node, what, "a map", std::string(hint)));
  return false;
}

bool IsList(const Node& node, std::string_view what, Diagnostics& out) {
  if (node.kind == Node::Kind::kSequence) return true;
  std::string hint;
  if (node.kind == Node::Kind::kScalar) hint = InBrackets(node);
  if (node.kind == Node::Kind::kNull) hint = "write the list in brackets, or remove the key";
  if (node.kind == Node::Kind::kMap) hint = "write the entries in brackets or behind \"- \"";
  out.push_back(WrongType(node, what, "a list", std::move(hint)));
  return false;
}

bool IsScalar(const Node& node, std::string_view what, Diagnostics& out) {
  if (node.kind == Node::Kind::kScalar) return true;
  std::string hint;
  if (node.kind == Node::Kind::kNull) hint = "write a value, or remove it";
  if (node.kind == Node::Kind::kSequence) hint = "write one value without brackets";
  out.push_back(WrongType(node, what, "a single value", std::move(hint)));
  return false;
}

bool IsNonEmptyList(const yaml::Entry& entry, std::string_view key, Diagnostics& out) {
  if (!IsList(*entry.value, key, out)) return false;
  if (!entry.value->sequence.empty()) return true;
  out.push_back(MakeDiagnostic(Code::kEmptyList, entry.value->range,
                               "an empty list: " + Quoted(key) + " says nothing",
                               "remove " + Quoted(key) + ", or give it an entry"));
  return false;
}

}  // namespace march::model

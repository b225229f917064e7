// JSON (RFC 8259) as bundles use it: read without tolerance, written in one way.
#pragma once

#include <cstdint>
#include <nlohmann/json.hpp>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "base/outcome.h"

namespace march::bundle {

// Parses one document; `what` names it in messages. Refuses a key given twice in one object, and
// nesting deeper than anything a bundle holds. Error: kBundleMalformed.
Outcome<nlohmann::json> ParseStrictJson(std::string_view text, const std::string& what);

// Keys sorted, two spaces of indent, a line break at the end. Text that is not UTF-8 is written
// with U+FFFD in place of the wrong bytes.
std::string DumpJson(const nlohmann::json& document);

// A string as DumpJson writes it, quotes included.
std::string JsonString(std::string_view text);

// Takes the members out of one object. The first thing wrong is kept; from then on the getters
// yield empty values, so a caller reads everything and asks once.
class ObjectReader {
 public:
  // `where` leads the messages: "manifest.json: files[3]". `value` must outlive the reader.
  ObjectReader(const nlohmann::json& value, std::string where);

  std::string String(const std::string& key);
  std::uint64_t Unsigned(const std::string& key);
  std::int32_t Int32(const std::string& key);
  bool Flag(const std::string& key);
  const nlohmann::json& Array(const std::string& key);
  const nlohmann::json& Object(const std::string& key);

  // Whether there is such a member: for one that may be missing.
  bool Has(const std::string& key) const;

  // For a check of the caller's own: `message` is about the value that was read.
  void Require(bool holds, const std::string& message);

  // What was wrong with the members taken so far.
  const std::optional<Diagnostic>& problem() const { return problem_; }
  // The same after the last member was taken: another key is an error as well.
  const std::optional<Diagnostic>& Finish();

 private:
  // The member if it is there, null otherwise.
  const nlohmann::json& Take(const std::string& key);

  const nlohmann::json& value_;
  std::string where_;
  std::vector<std::string> known_;
  std::optional<Diagnostic> problem_;
};

}  // namespace march::bundle

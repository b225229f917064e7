// From rules to classifier tables (bundle/abi/tables.h): flat arrays that a program walks in a
// number of steps that does not depend on how long the policy is.
//
// Fields become classes: the intervals of one address field between which the matching rules do not
// change, equal rule sets being one class. A source class has a row: which layer-4 table holds for
// which destination class. Equal rows and equal layer-4 tables exist once.
#pragma once

#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

#include "base/outcome.h"
#include "bundle/abi/tables.h"
#include "compiler/ruleset/ruleset.h"

namespace march::classify {

struct Limits {
  std::uint64_t max_table_bytes = std::uint64_t{1} << 30;
};

// How large each part came out.
struct Report {
  std::uint32_t source_classes4 = 0;
  std::uint32_t destination_classes4 = 0;
  std::uint32_t rows4 = 0;  // distinct
  std::uint32_t source_classes6 = 0;
  std::uint32_t destination_classes6 = 0;
  std::uint32_t rows6 = 0;
  std::uint32_t l4_tables = 0;
};

struct Tables {
  std::vector<std::uint64_t> words;  // begins with march_tables_header
  march_shape shape{};               // as in the header
  Report report;

  // The words as the bundle stores them: little-endian bytes.
  std::string Bytes() const;
};

// Error: kTablesTooLarge.
Outcome<Tables> BuildTables(const ruleset::RuleSet& rules, const Limits& limits = {});

// Reads back what Bytes wrote; checks the header, not the contents. Error: kBundleMalformed.
Outcome<Tables> ReadTables(std::string_view bytes);

// For `--until tables --dump`: the report and every run, in words and addresses.
std::string Dump(const Tables& tables);

}  // namespace march::classify

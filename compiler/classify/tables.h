// From rules to classifier tables (bundle/abi/tables.h): flat arrays that a program walks in a
// number of steps that does not depend on how long the policy is.
//
// Addresses become classes (partition.h), laid out for the search (find.h); where two classes meet,
// up to three views say what decides (views.h); what decides is a leaf (leaves.h).
#pragma once

#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

#include "base/outcome.h"
#include "bundle/abi/tables.h"
#include "bundle/abi/verdict.h"
#include "compiler/classify/views.h"
#include "compiler/ruleset/ruleset.h"

namespace march::classify {

struct Limits {
  // More than the default cannot be: the verifier follows an offset up to 512 MiB, of which an
  // eighth is for room to grow (emit::EmitBpf).
  std::uint64_t max_table_bytes = std::uint64_t{448} << 20;
  // Up to where rules are looked up in one matrix, how large it may be beside rows, and how many
  // pairs stand for an entry of a row; for tests.
  std::uint64_t small_matrix_bytes = ViewOptions{}.small_matrix_bytes;
  std::uint64_t large_matrix_bytes = ViewOptions{}.large_matrix_bytes;
  std::uint32_t most_pairs = ViewOptions{}.most_pairs;
};

// One search table.
struct SearchReport {
  std::uint32_t intervals = 0;  // of addresses that it tells apart
  std::uint32_t depth = 0;      // as in FindReport
  std::uint32_t low_depth = 0;
};

// How large each part of one family came out, and why.
struct FamilyReport {
  std::uint32_t source_classes = 0;
  std::uint32_t source_records = 0;  // of those, how many differ in what decides
  std::uint32_t destination_classes = 0;
  std::uint32_t rules_by_source = 0;
  std::uint32_t rules_by_destination = 0;
  std::uint32_t rules_in_matrix = 0;
  std::uint64_t source_bytes = 0;       // of the search for source addresses
  std::uint64_t destination_bytes = 0;  // likewise
  std::uint64_t row_bytes = 0;          // pairs, records and tails of both directions
  std::uint64_t matrix_bytes = 0;
  SearchReport source;
  SearchReport destination;  // as `source` if both sides share one table
  std::uint64_t pairs = 0;
  std::uint32_t matrix_sources = 0;  // classes
  std::uint32_t matrix_destinations = 0;
  ViewCost by_source;
  ViewCost by_destination;
  ViewCost in_matrix;
};

struct Report {
  FamilyReport v4;
  FamilyReport v6;
  std::uint64_t leaf_bytes = 0;  // lists, tables and sets
  std::uint32_t sets = 0;        // distinct sets of ports and protocols
  std::uint32_t l4_tables = 0;
  // Where most mappings meet: indices into Policy::mappings, in order of precedence.
  std::vector<std::uint32_t> most_at_once;
};

struct Tables {
  std::vector<std::uint64_t> words;  // whole lines; begins with march_tables_header
  march_shape shape{};               // as in the tables
  // By slot, from MARCH_SLOT_FIRST_MAPPING on: index into Policy::mappings.
  std::vector<std::uint32_t> mappings;
  // By slot behind those: index into Policy::mappings of whose limit counts there.
  std::vector<std::uint32_t> limited;
  Report report;

  std::uint32_t slots() const {
    return static_cast<std::uint32_t>(MARCH_SLOT_FIRST_MAPPING + mappings.size() + limited.size());
  }

  // The words as the bundle stores them: little-endian bytes.
  std::string Bytes() const;
};

// Error: kTablesTooLarge, with the mappings that need most.
Outcome<Tables> BuildTables(const ruleset::RuleSet& rules, const Limits& limits = {});

// For `--until tables --dump`: the report, and what every address and pair of classes leads to.
std::string Dump(const Tables& tables);

}  // namespace march::classify

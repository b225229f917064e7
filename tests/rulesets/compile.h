// A rule set in a test, compiled.
#pragma once

#include <catch2/catch.hpp>
#include <string>
#include <vector>

#include "base/print.h"
#include "compiler/pipeline/pipeline.h"
#include "tests/rulesets/rulesets.h"

namespace march::tests {

// Compiles, or the test fails.
inline pipeline::Compilation CompileRuleset(const std::vector<PlainRule>& rules,
                                            pipeline::Stage until,
                                            const pipeline::Options& options = {}) {
  MemoryFileSystem files;
  std::size_t number = 0;
  for (const std::string& text : PolicyOf(rules)) {
    const std::string path = "policy/" + std::to_string(number++) + ".yaml";
    REQUIRE(files.WriteAtomically(path, text, 0600).ok());
  }
  auto compilation = pipeline::Compile(files, "policy", until, options);
  INFO(TextOf(compilation.diagnostics));
  REQUIRE(compilation.ok());
  return compilation;
}

}  // namespace march::tests

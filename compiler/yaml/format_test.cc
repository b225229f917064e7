#include "compiler/yaml/format.h"

#include <catch2/catch.hpp>
#include <filesystem>
#include <fstream>
#include <iterator>

#include "base/print.h"

namespace march::yaml {
namespace {

std::string Formatted(const std::string& text) {
  const Source source("f.yaml", text);
  const auto formatted = Format(source);
  INFO(text << TextOf(formatted.diagnostics()));
  REQUIRE(formatted.ok());
  return *formatted;
}

TEST_CASE("blanks become canonical, and nothing else changes") {
  CHECK(Formatted("a:   1\nb:\t2   # why\n") == "a: 1\nb: 2  # why\n");
  CHECK(Formatted("a: {b: c,d:   [e,f , g]}") == "a: { b: c, d: [e, f, g] }\n");
  CHECK(Formatted("a: {}\nb: []\nc:\nd: ~\n") == "a: {}\nb: []\nc:\nd: ~\n");
  CHECK(Formatted("a:\n    b:\n         c: 1\n") == "a:\n  b:\n    c: 1\n");
  CHECK(Formatted("a:\n- b\n- c: 1\n  d: 2\n-   - e\n") ==
        "a:\n  - b\n  - c: 1\n    d: 2\n  - - e\n");
  CHECK(Formatted("\xEF\xBB\xBF"
                  "a: 1\r\nb: 2\r\n") == "a: 1\nb: 2\n");
}

TEST_CASE("empty lines are kept, one at a time, and not at the ends") {
  CHECK(Formatted("\n\na: 1\n\n\n\nb: 2\n\nc: 3\n\n\n") == "a: 1\n\nb: 2\n\nc: 3\n");
}

TEST_CASE("comments stay with what they stood with") {
  CHECK(Formatted("# first\n\n#second\na: # of a\n    # above b\n    b: 1 # of b\n# last\n") ==
        "# first\n\n#second\na:  # of a\n  # above b\n  b: 1  # of b\n# last\n");
  CHECK(Formatted("a:\n  - b # of b\n  # above c\n  - c\n") ==
        "a:\n  - b  # of b\n  # above c\n  - c\n");
  CHECK(Formatted("a: [b, # of b\n  c]\n") == "a: [\n  b,  # of b\n  c\n]\n");
  CHECK(Formatted("a: \"x # no comment\" # one\n") == "a: \"x # no comment\"  # one\n");
}

TEST_CASE("anchors, aliases, merge keys, tags and quotes stay as written") {
  const std::string text =
      "a: &x { b: 'c', d: \"e\" }\n"
      "f: { <<: *x, g: !!str 5 }\n"
      "h: &y\n"
      "  i: *x\n"
      "j:\n"
      "  - &z k\n"
      "  - *z\n";
  CHECK(Formatted(text) == text);
}

TEST_CASE("long flow collections get a line an entry") {
  const std::string word(30, 'w');
  CHECK(Formatted("a: [" + word + ", " + word + ", " + word + ", " + word + "]\n") ==
        "a: [\n  " + word + ",\n  " + word + ",\n  " + word + ",\n  " + word + "\n]\n");
  CHECK(Formatted("a: [\n  b,\n  c\n]\n") == "a: [b, c]\n");
}

TEST_CASE("block scalars keep their lines") {
  CHECK(Formatted("a: |\n      x\n        y\n\n      z\nb: >-\n  c\n  d\n") ==
        "a: |\n  x\n    y\n\n  z\nb: >-\n  c\n  d\n");
  CHECK(Formatted("a:\n   b: |+\n     x\n\n   c: 1\n") == "a:\n  b: |+\n    x\n\n  c: 1\n");
  CHECK(Formatted("a: one\n  two\n    three\n") == "a: one\n  two\n  three\n");
}

TEST_CASE("documents are kept apart") {
  CHECK(Formatted("a: 1\n---\n# of b\nb: 2\n--- \nc: 3\n") ==
        "a: 1\n---\n# of b\nb: 2\n---\nc: 3\n");
  CHECK(Formatted("---\na: 1\n") == "---\na: 1\n");
}

TEST_CASE("what does not parse, or cannot be laid out, is refused") {
  for (const char* const text :
       {"a: [b", "%YAML 1.2\n---\na: 1\n", "? a\n: b\n", "a: |2\n   b\n", "a: [b: c]\n"}) {
    const Source source("f.yaml", text);
    CHECK_FALSE(Format(source).ok());
  }
}

TEST_CASE("every file of ours keeps its meaning and comments, and formats to itself") {
  std::size_t formatted = 0;
  for (const char* const root : {"examples", "tests/golden", "cli/init"}) {
    for (const auto& entry : std::filesystem::recursive_directory_iterator(root)) {
      if (entry.path().extension() != ".yaml") continue;
      std::ifstream in(entry.path(), std::ios::binary);
      const Source source(entry.path().string(), {std::istreambuf_iterator<char>(in), {}});
      const auto result = Format(source);
      if (!result) {
        INFO(TextOf(result.diagnostics()));
        CHECK(result.diagnostics().front().message.find("would not be the same") ==
              std::string::npos);
        continue;
      }
      ++formatted;
    }
  }
  CHECK(formatted > 200);
}

}  // namespace
}  // namespace march::yaml

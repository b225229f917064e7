// Every code is documented, and every code of the language is shown by a golden.
#include <catch2/catch.hpp>
#include <filesystem>
#include <fstream>
#include <iterator>
#include <string>

#include "base/diagnostic.h"

namespace march {
namespace {

// Codes that goldens of the policy language cannot show; the tests of their own folders do.
constexpr std::string_view kShownElsewhere[] = {"M00", "M04", "M05", "M06", "M07"};

std::string ReadFile(const std::filesystem::path& path) {
  std::ifstream in(path, std::ios::binary);
  return {std::istreambuf_iterator<char>(in), std::istreambuf_iterator<char>()};
}

TEST_CASE("every code has its section in docs/diagnostics.md, and no other has one") {
  const std::string document = ReadFile("docs/diagnostics.md");
  std::size_t sections = 0;
  for (const CodeInfo& info : AllCodes()) {
    CAPTURE(info.id);
    CHECK(document.find("\n## " + std::string(info.id) + " " + std::string(info.summary) + "\n") !=
          std::string::npos);
  }
  for (std::size_t at = document.find("\n## M"); at != std::string::npos;
       at = document.find("\n## M", at + 1)) {
    ++sections;
  }
  CHECK(sections == AllCodes().size());
}

TEST_CASE("every code of the language is shown by a golden") {
  std::string shown;
  for (const char* const folder :
       {"tests/golden/diagnostics", "tests/golden/lint", "tests/golden/ownership"}) {
    for (const auto& entry : std::filesystem::directory_iterator(folder)) {
      if (entry.path().extension() == ".expected") shown += ReadFile(entry.path());
    }
  }
  for (const CodeInfo& info : AllCodes()) {
    bool elsewhere = false;
    for (const std::string_view prefix : kShownElsewhere) elsewhere |= info.id.starts_with(prefix);
    if (elsewhere) continue;
    CAPTURE(info.id);
    CHECK(shown.find("[" + std::string(info.id) + "]") != std::string::npos);
  }
}

}  // namespace
}  // namespace march

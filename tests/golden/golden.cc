#include "tests/golden/golden.h"

#include <algorithm>
#include <catch2/catch.hpp>
#include <cstdlib>
#include <filesystem>
#include <fstream>
#include <iterator>

namespace march::golden {
namespace {

bool Updating() {
  const char* const value = std::getenv("MARCH_UPDATE_GOLDENS");
  return value != nullptr && std::string_view(value) == "1";
}

// "line 3\n  expected: ...\n  actual:   ..."
std::string FirstDifference(std::string_view expected, std::string_view actual) {
  for (std::size_t number = 1;; ++number) {
    const std::size_t expected_end = std::min(expected.find('\n'), expected.size());
    const std::size_t actual_end = std::min(actual.find('\n'), actual.size());
    const std::string_view expected_line = expected.substr(0, expected_end);
    const std::string_view actual_line = actual.substr(0, actual_end);
    const bool last = expected_end == expected.size() || actual_end == actual.size();
    if (expected_line != actual_line || last) {
      return "line " + std::to_string(number) + "\n  expected: " + std::string(expected_line) +
             "\n  actual:   " + std::string(actual_line);
    }
    expected.remove_prefix(expected_end + 1);
    actual.remove_prefix(actual_end + 1);
  }
}

}  // namespace

std::string ReadFile(const std::string& path) {
  std::ifstream in(path, std::ios::binary);
  INFO("cannot read " << path);
  REQUIRE(in);
  return {std::istreambuf_iterator<char>(in), std::istreambuf_iterator<char>()};
}

void CheckGolden(const std::string& path, std::string_view actual) {
  if (Updating()) {
    std::ofstream(path, std::ios::binary) << actual;
    return;
  }
  std::ifstream in(path, std::ios::binary);
  const std::string expected{std::istreambuf_iterator<char>(in), std::istreambuf_iterator<char>()};
  if (expected == actual) {
    SUCCEED();
    return;
  }
  FAIL_CHECK(path << " differs in " << FirstDifference(expected, actual)
                  << "\n  MARCH_UPDATE_GOLDENS=1 rewrites it");
}

std::vector<std::string> Inputs(const std::string& directory) {
  std::vector<std::string> names;
  for (const auto& entry : std::filesystem::directory_iterator(directory)) {
    if (entry.path().extension() != ".expected") names.push_back(entry.path().filename().string());
  }
  std::sort(names.begin(), names.end());
  return names;
}

}  // namespace march::golden

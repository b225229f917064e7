// net.core.bpf_jit_harden=2 hides every constant of a program in two more instructions: whether the
// largest programs are then still compiled to machine code, all jumps in reach.
#include <algorithm>
#include <catch2/catch.hpp>
#include <cstdlib>
#include <iostream>

#include "base/print.h"
#include "compiler/budget/verifier.h"
#include "tests/budget/shapes.h"
#include "tests/kernels/jit_hardening.h"

namespace march {
namespace {

TEST_CASE("the largest shapes load where constants are hidden") {
  tests::SkipWithoutPrivileges();
  const auto setting = tests::JitHardening::Take();
  if (setting == nullptr) {
    std::cerr
        << "SKIPPED: cannot set net.core.bpf_jit_harden, so nothing is known of hardened JITs\n";
    std::exit(77);
  }
  REQUIRE(setting->HideConstants(false));
  const auto plain = tests::LoadShape(tests::WorstShape());
  REQUIRE(plain.ok());
  REQUIRE(plain->figures.ok());
  if (plain->figures->native_bytes == 0) {
    std::cerr << "SKIPPED: the kernel has no JIT, or does not say what it makes\n";
    std::exit(77);
  }
  REQUIRE(setting->HideConstants(true));
  const auto hidden = tests::LoadShape(tests::WorstShape());
  REQUIRE(hidden.ok());
  INFO((hidden->figures.ok() ? "" : TextOf(hidden->figures.diagnostics())));
  REQUIRE(hidden->figures.ok());
  // Or the setting did nothing, and the rest of this test says nothing.
  CHECK(hidden->figures->native_bytes > plain->figures->native_bytes * 5 / 4);
  std::cout << "the worst shape: " << plain->figures->native_bytes << " bytes native, "
            << hidden->figures->native_bytes << " with constants hidden, loaded in "
            << hidden->figures->load_time.count() / 1000 << " ms\n";
  std::uint32_t most = 0;
  for (const march_shape& shape : tests::LargestShapes()) {
    INFO(tests::Describe(shape));
    const auto loaded = tests::LoadShape(shape);
    REQUIRE(loaded.ok());
    INFO((loaded->figures.ok() ? "" : TextOf(loaded->figures.diagnostics())));
    REQUIRE(loaded->figures.ok());
    // A program that the JIT gives up on would be interpreted, or refused.
    CHECK(loaded->figures->native_bytes != 0);
    most = std::max(most, loaded->figures->native_bytes);
  }
  std::cout << "the largest shape: " << most << " bytes native\n";
}

}  // namespace
}  // namespace march

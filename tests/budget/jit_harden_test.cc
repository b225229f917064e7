// net.core.bpf_jit_harden=2 hides every constant of a program in two more instructions: whether the
// largest programs are then still compiled to machine code, all jumps in reach.
#include <algorithm>
#include <catch2/catch.hpp>
#include <cstdlib>
#include <fstream>
#include <iostream>

#include "base/print.h"
#include "compiler/budget/verifier.h"
#include "tests/budget/shapes.h"

namespace march {
namespace {

const char* const kSysctl = "/proc/sys/net/core/bpf_jit_harden";

bool Write(const std::string& value) {
  std::ofstream out(kSysctl);
  out << value << std::flush;
  return out.good();
}

// Sets the sysctl while it lives; skips the test, loudly, where it cannot be set.
class Hardened {
 public:
  Hardened() {
    std::ifstream(kSysctl) >> before_;
    if (before_.empty() || !Write("2")) {
      std::cerr << "SKIPPED: cannot write " << kSysctl
                << ", so nothing is known of hardened JITs\n";
      std::exit(77);
    }
  }
  Hardened(const Hardened&) = delete;
  Hardened& operator=(const Hardened&) = delete;
  ~Hardened() {
    if (!Write(before_)) std::cerr << kSysctl << " was " << before_ << " and cannot be put back\n";
  }

 private:
  std::string before_;
};

TEST_CASE("the extreme shapes load where constants are hidden") {
  tests::SkipWithoutPrivileges();
  const auto plain = tests::LoadShape(tests::WorstShape());
  REQUIRE(plain.ok());
  REQUIRE(plain->figures.ok());
  if (plain->figures->native_bytes == 0) {
    std::cerr << "SKIPPED: the kernel has no JIT, or does not say what it makes\n";
    std::exit(77);
  }
  const Hardened hardened;
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
  for (const march_shape& shape : tests::ExtremeShapes()) {
    INFO(tests::Describe(shape));
    const auto loaded = tests::LoadShape(shape);
    REQUIRE(loaded.ok());
    INFO((loaded->figures.ok() ? "" : TextOf(loaded->figures.diagnostics())));
    REQUIRE(loaded->figures.ok());
    // A program that the JIT gives up on would be interpreted, or refused.
    CHECK(loaded->figures->native_bytes != 0);
    most = std::max(most, loaded->figures->native_bytes);
  }
  std::cout << "the largest of the extreme shapes: " << most << " bytes native\n";
}

}  // namespace
}  // namespace march

// Every stage of the pipeline as text: what `marchctl compile --until STAGE --dump` prints.
#include <catch2/catch.hpp>

#include "base/file_system.h"
#include "base/print.h"
#include "base/version.h"
#include "compiler/pipeline/pipeline.h"
#include "tests/golden/golden.h"

namespace march {
namespace {

const char* const kDirectory = "tests/golden/stages/";

// The generated C states the version; the golden must not change with it.
std::string WithoutVersion(std::string text) {
  const std::string version = std::string("marchctl ") + kVersion;
  const std::size_t at = text.find(version);
  return at == std::string::npos ? text : text.replace(at, version.size(), "marchctl VERSION");
}

TEST_CASE("every stage prints what it is known to print") {
  DiskFileSystem files;
  for (const std::string name : {"quickstart", "edges", "audit", "treatments"}) {
    const auto compilation = pipeline::Compile(files, std::string(kDirectory) + name + ".yaml",
                                               pipeline::Stage::kObject);
    INFO(TextOf(compilation.diagnostics));
    REQUIRE(compilation.ok());
    for (const auto& info : pipeline::Stages()) {
      // The object is clang's work and the bundle holds it: no golden of other people's bytes.
      if (info.stage >= pipeline::Stage::kObject) continue;
      golden::CheckGolden(
          std::string(kDirectory) + name + "." + std::string(info.name) + ".expected",
          WithoutVersion(pipeline::Dump(compilation, info.stage)));
    }
  }
}

TEST_CASE("the size of the generated C does not grow with the policy") {
  const auto size_of = [](int mappings) {
    std::string text = "apiVersion: march/v1\nkind: Policy\nmappings:\n";
    for (int i = 0; i < mappings; ++i) {
      text += "  m" + std::to_string(i) + ": { protocols: [tcp], ports: [" + std::to_string(i) +
              "] }\n";
    }
    MemoryFileSystem files;
    REQUIRE(files.WriteAtomically("p.yaml", text, 0600).ok());
    return pipeline::Compile(files, "p.yaml", pipeline::Stage::kSource).source->text.size();
  };
  // The names and line numbers of the first 256 get longer, no more.
  CHECK(size_of(5000) < size_of(1000) * 11 / 10);
}

}  // namespace
}  // namespace march

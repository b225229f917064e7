// What `marchctl compile --report` says of a policy's cost, but for what differs between versions
// of clang and kernels.
#include <catch2/catch.hpp>
#include <nlohmann/json.hpp>
#include <sstream>

#include "base/file_system.h"
#include "base/print.h"
#include "cli/output/cost_report.h"
#include "tests/golden/golden.h"

namespace march {
namespace {

// Without the lines that begin with `title`.
std::string Without(const std::string& text, const std::string& title) {
  std::istringstream in(text);
  std::string rest;
  for (std::string line; std::getline(in, line);) {
    if (!line.starts_with(title)) rest += line + "\n";
  }
  return rest;
}

TEST_CASE("the cost of policies is what it is known to be") {
  DiskFileSystem files;
  // Everything in a matrix; the same policy with everything in rows; under audit.
  struct Case {
    const char* policy;
    const char* golden;
    bool matrix;
  };
  for (const Case& each :
       {Case{"quickstart", "quickstart", true}, Case{"quickstart", "quickstart-rows", false},
        Case{"edges", "edges", true}, Case{"audit", "audit", true}}) {
    pipeline::Options options;
    if (!each.matrix) {
      options.classify.small_matrix_bytes = 0;
      options.classify.most_pairs = 1;
      options.classify.large_matrix_bytes = 0;
    }
    const auto compilation =
        pipeline::Compile(files, "tests/golden/stages/" + std::string(each.policy) + ".yaml",
                          pipeline::Stage::kObject, options);
    INFO(TextOf(compilation.diagnostics));
    REQUIRE(compilation.ok());
    const cli::CostReport report{compilation, options, std::nullopt, "nobody asked"};
    const std::string golden = "tests/golden/cost/" + std::string(each.golden);
    std::ostringstream text;
    cli::Print(report, "text", text);
    CHECK(text.str().find("\nprogram  ") != std::string::npos);
    CHECK(text.str().ends_with("\nkernel            not loaded: nobody asked\n"));
    golden::CheckGolden(golden + ".text.expected", Without(text.str(), "program  "));
    std::ostringstream out;
    cli::Print(report, "json", out);
    auto json = nlohmann::json::parse(out.str());
    CHECK(json["program"]["instructions"] == compilation.object->instructions);
    CHECK(json["program"]["stack_bytes"] == compilation.object->stack_bytes);
    json.erase("program");
    golden::CheckGolden(golden + ".json.expected", json.dump(2) + "\n");
  }
}

TEST_CASE("what the kernel says is printed as it says it") {
  DiskFileSystem files;
  const auto compilation =
      pipeline::Compile(files, "tests/golden/stages/quickstart.yaml", pipeline::Stage::kObject);
  REQUIRE(compilation.ok());
  const auto last_line = [&](const bpf::LoadFigures& figures) {
    std::ostringstream text;
    cli::Print({compilation, {}, figures, ""}, "text", text);
    return text.str().substr(text.str().find("\nkernel") + 1);
  };
  CHECK(last_line({"6.1.0", 12345, 5000, std::chrono::microseconds(15260)}) ==
        "kernel            Linux 6.1.0 loaded it in 15.3 ms, having verified 12345 instructions; "
        "5000 bytes native\n");
  CHECK(
      last_line({"5.15.0", 0, 0, std::chrono::microseconds(900)}) ==
      "kernel            Linux 5.15.0 loaded it in 0.9 ms, and does not say how many instructions "
      "it verified; how many bytes native it does not say\n");
  std::ostringstream out;
  cli::Print(
      {compilation, {}, bpf::LoadFigures{"5.15.0", 0, 7, std::chrono::microseconds(900)}, ""},
      "json", out);
  const auto kernel = nlohmann::json::parse(out.str())["kernel"];
  CHECK(kernel["loaded"] == true);
  CHECK(kernel["verified_instructions"].is_null());
  CHECK(kernel["native_bytes"] == 7);
  CHECK(kernel["load_microseconds"] == 900);
}

}  // namespace
}  // namespace march

#include <catch2/catch.hpp>
#include <string>
#include <utility>

#include "compiler/clang/bpf_object.h"

namespace march::clang {
namespace {

// Compiled twice, to the same bytes.
BpfObject CompileTwice(const emit::BpfSource& source) {
  auto first = CompileBpf(source);
  const auto second = CompileBpf(source);
  REQUIRE(first.ok());
  REQUIRE(second.ok());
  CHECK(first->bytes == second->bytes);
  return *std::move(first);
}

TEST_CASE("equal sources give equal objects with BTF and without DWARF") {
  const emit::BpfSource source{
      "#include \"common/bpf.h\"\n"
      "SEC(\"xdp\") int f(struct xdp_md* c) { return c->data == 0 ? XDP_DROP : XDP_PASS; }\n"
      "char march_license[] SEC(\"license\") = \"GPL\";\n"};
  const BpfObject object = CompileTwice(source);
  CHECK(object.instructions > 0);
  const std::string dump = Dump(object);
  CHECK(dump.find(".BTF ") != std::string::npos);
  CHECK(dump.find(".BTF.ext ") != std::string::npos);
  CHECK(dump.find(".debug_") == std::string::npos);
  CHECK(dump.find("  xdp ") != std::string::npos);
}

TEST_CASE("a program that does not compile is reported in clang's words") {
  const auto object = CompileBpf({"int f(void) { return nothing; }\n"});
  REQUIRE_FALSE(object.ok());
  CHECK(object.diagnostics()[0].code == Code::kClangFailed);
  CHECK(object.diagnostics()[0].message.find("use of undeclared identifier 'nothing'") !=
        std::string::npos);
}

TEST_CASE("a program is linked with the parts that it calls, and with no others") {
  const emit::BpfSource source{
      "#include \"common/bpf.h\"\n"
      "#include \"xdp/event.h\"\n"
      "SEC(\"xdp\") int f(struct xdp_md* c) {\n"
      "  struct march_key key = {0};\n"
      "  return march_tell(c, &key, 0, 0) ? XDP_DROP : XDP_PASS;\n"
      "}\n"
      "char march_license[] SEC(\"license\") = \"GPL\";\n"};
  const BpfObject object = CompileTwice(source);
  CHECK(object.bytes.find("march_tell") != std::string::npos);
  CHECK(object.bytes.find("march_event_budgets") != std::string::npos);
  CHECK(object.bytes.find("march_answer") == std::string::npos);
  CHECK(object.stack_bytes > 64);  // of both functions, each no less than 32
}

TEST_CASE("what a program calls and no part defines is an error") {
  const auto object = CompileBpf({"int g(void);\nint f(void) { return g(); }\n"});
  REQUIRE_FALSE(object.ok());
  CHECK(object.diagnostics()[0].code == Code::kClangFailed);
  CHECK(object.diagnostics()[0].message.find("refers to g, which nothing defines") !=
        std::string::npos);
}

TEST_CASE("no file of the machine is reachable") {
  const auto object = CompileBpf({"#include \"/etc/passwd\"\n"});
  REQUIRE_FALSE(object.ok());
  CHECK(object.diagnostics()[0].message.find("file not found") != std::string::npos);
}

}  // namespace
}  // namespace march::clang

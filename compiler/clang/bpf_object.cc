#include "compiler/clang/bpf_object.h"

#include <sstream>

#include "compiler/clang/c_compiler.h"
#include "compiler/clang/object_file.h"
#include "compiler/clang/parts.h"
#include "compiler/clang/stack.h"

namespace march::clang {
namespace {

// Calls `visit(name, contents, is_code)` for every section.
template <class Visit>
void ForEachSection(const std::string& bytes, Visit visit) {
  const auto file = OpenObject(bytes);
  if (file == nullptr) return;
  for (const llvm::object::SectionRef& section : file->sections()) {
    visit(OrNothing(section.getName()).str(), OrNothing(section.getContents()), section.isText());
  }
}

}  // namespace

Outcome<BpfObject> CompileBpf(const emit::BpfSource& source) {
  Outcome<std::string> compiled = CompileC("policy.c", source.text);
  if (!compiled) return compiled.diagnostics();
  Outcome<std::string> linked = WithParts(*std::move(compiled));
  if (!linked) return linked.diagnostics();
  BpfObject object;
  object.bytes = *std::move(linked);
  ForEachSection(object.bytes, [&](const std::string&, llvm::StringRef contents, bool is_code) {
    if (!is_code || contents.empty()) return;
    object.instructions += contents.size() / 8;
  });
  const FunctionFigures figures = MeasureFunctions(object.bytes);
  object.longest_function = figures.longest;
  object.stack_bytes = figures.stack_bytes;
  return object;
}

std::string Dump(const BpfObject& object) {
  std::ostringstream out;
  out << "object " << object.bytes.size() << " bytes, " << object.instructions << " instructions\n";
  ForEachSection(
      object.bytes, [&](const std::string& name, llvm::StringRef contents, bool is_code) {
        out << "  " << name << " " << contents.size() << (is_code ? " code" : "") << "\n";
      });
  return out.str();
}

}  // namespace march::clang

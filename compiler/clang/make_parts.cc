// march-make-parts FILE: compiles the parts (parts.h) and writes them as a C++ source. Part of the
// build.
#include <fstream>
#include <iostream>
#include <string>
#include <string_view>

#include "base/print.h"
#include "bpf-templates/embedded.h"
#include "compiler/clang/c_compiler.h"

namespace {

constexpr std::string_view kMark = "#include \"xdp/part.h\"";

void WriteBytes(std::ostream& out, const std::string& bytes) {
  constexpr std::size_t kPerLine = 32;
  for (std::size_t i = 0; i < bytes.size(); ++i) {
    if (i % kPerLine == 0) out << "\n  ";
    out << static_cast<unsigned>(static_cast<unsigned char>(bytes[i])) << ',';
  }
}

}  // namespace

int main(int argc, char** argv) {
  if (argc != 2) {
    std::cerr << "usage: march-make-parts FILE\n";
    return 64;
  }
  std::ofstream out(argv[1]);
  out << "// Generated from the parts of bpf-templates/xdp.\n"
         "#include \"compiler/clang/parts.h\"\n\nnamespace march::clang {\nnamespace {\n\n";
  std::string list;
  int count = 0;
  for (const auto& file : march::bpf_templates::EmbeddedHeaders()) {
    if (file.text.find(kMark) == std::string_view::npos) continue;
    const auto object = march::clang::CompileC(std::string(file.name), std::string(file.text));
    if (!object) {
      march::PrintText(object.diagnostics(), std::cerr);
      return 1;
    }
    const std::string variable = "part" + std::to_string(count++);
    out << "constexpr unsigned char " << variable << "[] = {";
    WriteBytes(out, *object);
    out << "};\n\n";
    list += "      {\"" + std::string(file.name) + "\", Text(" + variable + ", sizeof(" + variable +
            "))},\n";
  }
  out << "std::string_view Text(const unsigned char* bytes, std::size_t count) {\n"
         "  return {reinterpret_cast<const char*>(bytes), count};\n}\n\n"
         "}  // namespace\n\nconst std::vector<Part>& Parts() {\n"
         "  static const std::vector<Part> parts = {\n"
      << list << "  };\n  return parts;\n}\n\n}  // namespace march::clang\n";
  out.close();
  if (count == 0) {
    std::cerr << "march-make-parts: no source begins with " << kMark << "\n";
    return 1;
  }
  if (!out) {
    std::cerr << "march-make-parts: cannot write " << argv[1] << "\n";
    return 1;
  }
  return 0;
}

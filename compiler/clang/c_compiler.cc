#include "compiler/clang/c_compiler.h"

#include <clang/Basic/DiagnosticOptions.h>
#include <clang/Basic/FileManager.h>
#include <clang/CodeGen/CodeGenAction.h>
#include <clang/Frontend/CompilerInstance.h>
#include <clang/Frontend/CompilerInvocation.h>
#include <clang/Frontend/TextDiagnosticPrinter.h>
#include <llvm/ADT/SmallString.h>
#include <llvm/ObjCopy/ConfigManager.h>
#include <llvm/ObjCopy/ObjCopy.h>
#include <llvm/Object/ELFObjectFile.h>
#include <llvm/Support/MemoryBuffer.h>
#include <llvm/Support/TargetSelect.h>
#include <llvm/Support/VirtualFileSystem.h>
#include <llvm/Support/raw_ostream.h>

#include <memory>
#include <mutex>
#include <vector>

#include "bpf-templates/embedded.h"

namespace march::clang {
namespace {

// Where the sources stand in the file system that clang sees, which has nothing else.
constexpr const char* kRoot = "/march";

void InitializeOnce() {
  static std::once_flag once;
  std::call_once(once, [] {
    LLVMInitializeBPFTargetInfo();
    LLVMInitializeBPFTarget();
    LLVMInitializeBPFTargetMC();
    LLVMInitializeBPFAsmPrinter();
  });
}

llvm::IntrusiveRefCntPtr<llvm::vfs::FileSystem> SourcesInMemory(const std::string& main_file,
                                                                const std::string& text) {
  auto files = llvm::makeIntrusiveRefCnt<llvm::vfs::InMemoryFileSystem>();
  files->addFile(main_file, 0, llvm::MemoryBuffer::getMemBufferCopy(text));
  for (const auto& header : bpf_templates::EmbeddedHeaders()) {
    files->addFile(std::string(kRoot) + "/" + std::string(header.name), 0,
                   llvm::MemoryBuffer::getMemBufferCopy(
                       llvm::StringRef(header.text.data(), header.text.size())));
  }
  return files;
}

// `main_file` outlives what is returned.
std::vector<const char*> Arguments(const std::string& name, const std::string& main_file) {
  return {
      // v3 has 32-bit ALU and bounded loops; every kernel from 5.15 on knows it.
      "-triple", "bpfel", "-target-cpu", "v3", "-emit-obj", "-O2", "-x", "c", "-std=c17",
      "-nostdsysteminc", "-nobuiltininc", "-I", kRoot, "-Wall", "-Wextra", "-Werror",
      "-fno-caret-diagnostics",
      // BTF is made from debug information; its line table quotes the sources, so they are embedded
      // rather than looked up, and no path of this machine gets in.
      "-debug-info-kind=constructor", "-dwarf-version=5", "-gembed-source",
      "-fdebug-compilation-dir=/march", "-main-file-name", name.c_str(), main_file.c_str()};
}

Diagnostic Failed(const std::string& why) {
  return MakeDiagnostic(Code::kClangFailed, {}, "the generated program does not compile: " + why,
                        "this is a defect of marchctl; please report it with the policy");
}

Outcome<std::string> Compile(const std::string& name, const std::string& text) {
  std::string messages;
  llvm::raw_string_ostream message_stream(messages);
  llvm::IntrusiveRefCntPtr<::clang::DiagnosticOptions> options(new ::clang::DiagnosticOptions());
  ::clang::TextDiagnosticPrinter printer(message_stream, options.get());
  const std::string main_file = std::string(kRoot) + "/" + name;
  const auto files = SourcesInMemory(main_file, text);
  const std::vector<const char*> arguments = Arguments(name, main_file);

  ::clang::CompilerInstance compiler;
  compiler.createDiagnostics(&printer, /*ShouldOwnClient=*/false);
  if (!::clang::CompilerInvocation::CreateFromArgs(compiler.getInvocation(), arguments,
                                                   compiler.getDiagnostics())) {
    return Failed(messages);
  }
  compiler.setFileManager(new ::clang::FileManager(compiler.getFileSystemOpts(), files));
  llvm::SmallString<0> object;
  compiler.setOutputStream(std::make_unique<llvm::raw_svector_ostream>(object));
  ::clang::EmitObjAction action;
  if (!compiler.ExecuteAction(action)) return Failed(messages);
  return std::string(object.data(), object.size());
}

Outcome<std::string> WithoutDwarf(const std::string& object) {
  auto binary =
      llvm::object::createBinary(llvm::MemoryBufferRef(llvm::StringRef(object), "policy.o"));
  if (!binary) return Failed(llvm::toString(binary.takeError()));
  llvm::objcopy::ConfigManager config;
  config.Common.StripDebug = true;
  llvm::SmallString<0> stripped;
  llvm::raw_svector_ostream stream(stripped);
  if (auto error = llvm::objcopy::executeObjcopyOnBinary(config, **binary, stream)) {
    return Failed(llvm::toString(std::move(error)));
  }
  return std::string(stripped.data(), stripped.size());
}

}  // namespace

Outcome<std::string> CompileC(const std::string& name, const std::string& text) {
  InitializeOnce();
  const Outcome<std::string> compiled = Compile(name, text);
  if (!compiled) return compiled.diagnostics();
  return WithoutDwarf(*compiled);
}

}  // namespace march::clang

#include "compiler/clang/bpf_object.h"

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
#include <llvm/Support/Endian.h>
#include <llvm/Support/MemoryBuffer.h>
#include <llvm/Support/TargetSelect.h>
#include <llvm/Support/VirtualFileSystem.h>
#include <llvm/Support/raw_ostream.h>

#include <algorithm>
#include <limits>
#include <map>
#include <mutex>
#include <sstream>
#include <vector>

#include "bpf-templates/embedded.h"

namespace march::clang {
namespace {

// Where the sources stand in the file system that clang sees, which has nothing else.
constexpr const char* kRoot = "/march";
constexpr const char* kMainFile = "/march/policy.c";

void InitializeOnce() {
  static std::once_flag once;
  std::call_once(once, [] {
    LLVMInitializeBPFTargetInfo();
    LLVMInitializeBPFTarget();
    LLVMInitializeBPFTargetMC();
    LLVMInitializeBPFAsmPrinter();
  });
}

llvm::IntrusiveRefCntPtr<llvm::vfs::FileSystem> SourcesInMemory(const emit::BpfSource& source) {
  auto files = llvm::makeIntrusiveRefCnt<llvm::vfs::InMemoryFileSystem>();
  files->addFile(kMainFile, 0, llvm::MemoryBuffer::getMemBufferCopy(source.text));
  for (const auto& header : bpf_templates::EmbeddedHeaders()) {
    files->addFile(std::string(kRoot) + "/" + std::string(header.name), 0,
                   llvm::MemoryBuffer::getMemBufferCopy(
                       llvm::StringRef(header.text.data(), header.text.size())));
  }
  return files;
}

const std::vector<const char*>& Arguments() {
  static const std::vector<const char*> arguments = {
      // v3 has 32-bit ALU and bounded loops; every kernel from 5.15 on knows it.
      "-triple", "bpfel", "-target-cpu", "v3", "-emit-obj", "-O2", "-x", "c", "-std=c17",
      "-nostdsysteminc", "-nobuiltininc", "-I", kRoot, "-Wall", "-Wextra", "-Werror",
      "-fno-caret-diagnostics",
      // BTF is made from debug information; its line table quotes the sources, so they are embedded
      // rather than looked up, and no path of this machine gets in.
      "-debug-info-kind=constructor", "-dwarf-version=5", "-gembed-source",
      "-fdebug-compilation-dir=/march", "-main-file-name", "policy.c", kMainFile};
  return arguments;
}

Diagnostic Failed(const std::string& why) {
  return MakeDiagnostic(Code::kClangFailed, {}, "the generated program does not compile: " + why,
                        "this is a defect of marchctl; please report it with the policy");
}

Outcome<std::string> Compile(const emit::BpfSource& source) {
  std::string messages;
  llvm::raw_string_ostream message_stream(messages);
  llvm::IntrusiveRefCntPtr<::clang::DiagnosticOptions> options(new ::clang::DiagnosticOptions());
  ::clang::TextDiagnosticPrinter printer(message_stream, options.get());
  const auto files = SourcesInMemory(source);

  ::clang::CompilerInstance compiler;
  compiler.createDiagnostics(&printer, /*ShouldOwnClient=*/false);
  if (!::clang::CompilerInvocation::CreateFromArgs(compiler.getInvocation(), Arguments(),
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

// How far below the frame pointer a function reaches (RFC 9669: opcode, registers, offset,
// immediate): by loads and stores, and by addresses made of it.
std::uint32_t StackOf(llvm::StringRef code) {
  constexpr std::uint8_t kFramePointer = 10;
  constexpr std::uint8_t kMove = 0xbf;          // dst = src, 64 bits
  constexpr std::uint8_t kAddImmediate = 0x07;  // dst += immediate, 64 bits
  std::int64_t lowest = 0;
  unsigned copies = 0;  // registers that hold the frame pointer, one bit each
  for (std::size_t at = 0; at + 8 <= code.size(); at += 8) {
    const char* const bytes = code.data() + at;
    const auto opcode = static_cast<std::uint8_t>(bytes[0]);
    const auto target = static_cast<std::uint8_t>(bytes[1] & 0xf);
    const auto source = static_cast<std::uint8_t>(bytes[1] >> 4 & 0xf);
    const auto offset = static_cast<std::int16_t>(llvm::support::endian::read16le(bytes + 2));
    const auto immediate = static_cast<std::int32_t>(llvm::support::endian::read32le(bytes + 4));
    const unsigned kind = opcode & 7U;
    const bool loads = kind == 1 && source == kFramePointer;
    const bool stores = (kind == 2 || kind == 3) && target == kFramePointer;
    if (loads || stores) lowest = std::min<std::int64_t>(lowest, offset);
    const bool is_copy = (copies >> target & 1U) != 0;
    if (opcode == kAddImmediate && is_copy) lowest = std::min<std::int64_t>(lowest, immediate);
    const bool writes = kind == 0 || kind == 1 || kind == 4 || kind == 7;
    if (writes) copies &= ~(1U << target);
    if (opcode == kMove && source == kFramePointer) copies |= 1U << target;
  }
  return static_cast<std::uint32_t>(-lowest);
}

// As the verifier rounds it up, of a function that uses nothing too.
std::uint32_t RoundedStack(std::uint32_t bytes) {
  constexpr std::uint32_t kStep = 32;
  return (std::max(bytes, 1U) + kStep - 1) / kStep * kStep;
}

// Reads an object that we made ourselves; null would be a defect of ours.
std::unique_ptr<llvm::object::ObjectFile> Open(const std::string& bytes) {
  auto file = llvm::object::ObjectFile::createObjectFile(
      llvm::MemoryBufferRef(llvm::StringRef(bytes), "policy.o"));
  if (!file) {
    llvm::consumeError(file.takeError());
    return nullptr;
  }
  return std::move(*file);
}

// The value, or that of nothing.
template <class Value>
Value OrNothing(llvm::Expected<Value> value) {
  if (value) return *value;
  llvm::consumeError(value.takeError());
  return Value{};
}

// Calls `visit(name, contents, is_code)` for every section.
template <class Visit>
void ForEachSection(const std::string& bytes, Visit visit) {
  const auto file = Open(bytes);
  if (file == nullptr) return;
  for (const llvm::object::SectionRef& section : file->sections()) {
    visit(OrNothing(section.getName()).str(), OrNothing(section.getContents()), section.isText());
  }
}

// In bytes from the begin of a section, by its number.
struct Place {
  std::uint64_t section = 0;
  std::uint64_t offset = 0;
  auto operator<=>(const Place&) const = default;
};

// Instead of an offset: the call counts the instructions from the begin of the section.
constexpr std::uint64_t kAsCounted = std::numeric_limits<std::uint64_t>::max();

struct Function {
  Place place;
  llvm::StringRef code;
  std::uint32_t stack = 0;         // bytes, rounded up
  std::vector<std::size_t> calls;  // of others, by their number
  std::uint32_t deepest = 0;       // bytes, with what is called; 0: not known yet
};

std::vector<Function> FunctionsOf(const llvm::object::ObjectFile& file) {
  std::vector<Function> functions;
  for (const llvm::object::SymbolRef& symbol : file.symbols()) {
    if (OrNothing(symbol.getType()) != llvm::object::SymbolRef::ST_Function) continue;
    auto section = symbol.getSection();
    if (!section) {
      llvm::consumeError(section.takeError());
      continue;
    }
    const std::uint64_t begin = OrNothing(symbol.getValue());
    const std::uint64_t bytes = llvm::object::ELFSymbolRef(symbol).getSize();
    Function& function = functions.emplace_back();
    function.place = {(*section)->getIndex(), begin};
    function.code = OrNothing((*section)->getContents()).substr(begin, bytes);
    function.stack = RoundedStack(StackOf(function.code));
  }
  return functions;
}

// Every call of a function that is no helper of the kernel's. The assembler has settled those
// within a section; others are relocated: to a symbol, or to a section and an instruction in it.
void FindCalls(const llvm::object::ObjectFile& file, std::vector<Function>& functions) {
  constexpr std::uint8_t kCall = 0x85;
  constexpr std::uint8_t kOwnFunction = 1;   // as its source register
  constexpr std::uint64_t kInstruction = 8;  // bytes
  std::map<Place, Place> relocated;
  for (const llvm::object::SectionRef& section : file.sections()) {
    auto code = section.getRelocatedSection();
    if (!code) {
      llvm::consumeError(code.takeError());
      continue;
    }
    if (*code == file.section_end() || !(*code)->isText()) continue;
    for (const llvm::object::RelocationRef& relocation : section.relocations()) {
      const auto symbol = relocation.getSymbol();
      auto target = symbol->getSection();
      if (!target) {
        llvm::consumeError(target.takeError());
      } else if (*target != file.section_end()) {
        const bool is_named = OrNothing(symbol->getType()) == llvm::object::SymbolRef::ST_Function;
        relocated[{(*code)->getIndex(), relocation.getOffset()}] = {
            (*target)->getIndex(), is_named ? OrNothing(symbol->getValue()) : kAsCounted};
      }
    }
  }
  for (Function& function : functions) {
    for (std::size_t i = 0; i + kInstruction <= function.code.size(); i += kInstruction) {
      const char* const bytes = function.code.data() + i;
      const bool is_call = static_cast<std::uint8_t>(bytes[0]) == kCall &&
                           static_cast<std::uint8_t>(bytes[1] >> 4 & 0xf) == kOwnFunction;
      if (!is_call) continue;
      const std::uint64_t at = function.place.offset + i;
      const auto count = static_cast<std::int32_t>(llvm::support::endian::read32le(bytes + 4));
      const auto behind = static_cast<std::uint64_t>(count + 1) * kInstruction;
      Place to{function.place.section, at + behind};
      if (const auto found = relocated.find({function.place.section, at});
          found != relocated.end()) {
        to = found->second;
        if (to.offset == kAsCounted) to.offset = behind;
      }
      const auto callee = std::find_if(functions.begin(), functions.end(),
                                       [&](const Function& each) { return each.place == to; });
      if (callee != functions.end()) {
        function.calls.push_back(static_cast<std::size_t>(callee - functions.begin()));
      }
    }
  }
}

// The verifier refuses recursion, and so does this: a function that calls itself needs no end.
std::uint32_t DeepestFrom(std::vector<Function>& functions, std::size_t number) {
  Function& function = functions[number];
  if (function.deepest != 0) return function.deepest;
  function.deepest = std::numeric_limits<std::uint32_t>::max() / 2;
  std::uint32_t below = 0;
  for (const std::size_t callee : function.calls) {
    below = std::max(below, DeepestFrom(functions, callee));
  }
  function.deepest = function.stack + below;
  return function.deepest;
}

void MeasureFunctions(BpfObject& object) {
  const auto file = Open(object.bytes);
  if (file == nullptr) return;
  std::vector<Function> functions = FunctionsOf(*file);
  FindCalls(*file, functions);
  for (std::size_t i = 0; i < functions.size(); ++i) {
    object.longest_function =
        std::max<std::size_t>(object.longest_function, functions[i].code.size() / 8);
    object.stack_bytes = std::max(object.stack_bytes, DeepestFrom(functions, i));
  }
}

}  // namespace

Outcome<BpfObject> CompileBpf(const emit::BpfSource& source) {
  InitializeOnce();
  const Outcome<std::string> compiled = Compile(source);
  if (!compiled) return compiled.diagnostics();
  Outcome<std::string> stripped = WithoutDwarf(*compiled);
  if (!stripped) return stripped.diagnostics();
  BpfObject object;
  object.bytes = *std::move(stripped);
  ForEachSection(object.bytes, [&](const std::string&, llvm::StringRef contents, bool is_code) {
    if (!is_code || contents.empty()) return;
    object.instructions += contents.size() / 8;
  });
  MeasureFunctions(object);
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

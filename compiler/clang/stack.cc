#include "compiler/clang/stack.h"

#include <llvm/Object/ELFObjectFile.h>
#include <llvm/Support/Endian.h>

#include <algorithm>
#include <limits>
#include <map>
#include <vector>

#include "compiler/clang/object_file.h"

namespace march::clang {
namespace {

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

}  // namespace

FunctionFigures MeasureFunctions(std::string_view object) {
  FunctionFigures figures;
  const auto file = OpenObject(object);
  if (file == nullptr) return figures;
  std::vector<Function> functions = FunctionsOf(*file);
  FindCalls(*file, functions);
  for (std::size_t i = 0; i < functions.size(); ++i) {
    figures.longest = std::max<std::size_t>(figures.longest, functions[i].code.size() / 8);
    figures.stack_bytes = std::max(figures.stack_bytes, DeepestFrom(functions, i));
  }
  return figures;
}

}  // namespace march::clang

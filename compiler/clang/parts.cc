#include "compiler/clang/parts.h"

#include <algorithm>
#include <cstdint>
#include <set>

#include "compiler/clang/object_file.h"
#include "compiler/link/bpf_linker.h"

namespace march::clang {
namespace {

struct Symbols {
  std::set<std::string> defined;
  std::set<std::string> referred;  // to what is defined elsewhere
};

void Add(std::string_view object, Symbols& symbols) {
  const auto file = OpenObject(object);
  if (file == nullptr) return;
  for (const llvm::object::SymbolRef& symbol : file->symbols()) {
    const std::string name = OrNothing(symbol.getName()).str();
    if (name.empty()) continue;
    const std::uint32_t flags = OrNothing(symbol.getFlags());
    if ((flags & llvm::object::SymbolRef::SF_Undefined) != 0) {
      symbols.referred.insert(name);
    } else if ((flags & llvm::object::SymbolRef::SF_Global) != 0) {
      symbols.defined.insert(name);
    }
  }
}

// The first name that is referred to and not defined, or none.
std::string Missing(const Symbols& symbols) {
  for (const std::string& name : symbols.referred) {
    if (symbols.defined.count(name) == 0) return name;
  }
  return {};
}

bool Settles(const Symbols& part, const Symbols& all) {
  return std::any_of(part.defined.begin(), part.defined.end(), [&](const std::string& name) {
    return all.referred.count(name) != 0 && all.defined.count(name) == 0;
  });
}

// Of each part, in their order.
const std::vector<Symbols>& SymbolsOfParts() {
  static const std::vector<Symbols> all = [] {
    std::vector<Symbols> symbols(Parts().size());
    for (std::size_t i = 0; i < symbols.size(); ++i) Add(Parts()[i].bytes, symbols[i]);
    return symbols;
  }();
  return all;
}

}  // namespace

Outcome<std::string> WithParts(std::string object) {
  Symbols all;
  Add(object, all);
  std::vector<bool> taken(Parts().size(), false);
  for (bool grows = true; grows;) {
    grows = false;
    for (std::size_t i = 0; i < taken.size(); ++i) {
      if (taken[i] || !Settles(SymbolsOfParts()[i], all)) continue;
      taken[i] = grows = true;
      Add(Parts()[i].bytes, all);
    }
  }
  if (const std::string name = Missing(all); !name.empty()) {
    return MakeDiagnostic(Code::kClangFailed, {},
                          "the generated program refers to " + name + ", which nothing defines",
                          "this is a defect of marchctl; please report it with the policy");
  }
  std::vector<std::string_view> objects = {object};
  for (std::size_t i = 0; i < taken.size(); ++i) {
    if (taken[i]) objects.push_back(Parts()[i].bytes);
  }
  if (objects.size() == 1) return object;
  return link::LinkObjects(objects);
}

}  // namespace march::clang

#include "compiler/clang/object_file.h"

#include <llvm/Support/MemoryBuffer.h>

namespace march::clang {

std::unique_ptr<llvm::object::ObjectFile> OpenObject(std::string_view bytes) {
  auto file = llvm::object::ObjectFile::createObjectFile(
      llvm::MemoryBufferRef(llvm::StringRef(bytes.data(), bytes.size()), "policy.o"));
  if (!file) {
    llvm::consumeError(file.takeError());
    return nullptr;
  }
  return std::move(*file);
}

}  // namespace march::clang

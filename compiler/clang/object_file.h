// Reading the objects that we made ourselves.
#pragma once

#include <llvm/Object/ObjectFile.h>

#include <memory>
#include <string_view>
#include <utility>

namespace march::clang {

// `bytes` outlives it. Null would be a defect of ours.
std::unique_ptr<llvm::object::ObjectFile> OpenObject(std::string_view bytes);

// The value, or that of nothing.
template <class Value>
Value OrNothing(llvm::Expected<Value> value) {
  if (value) return *value;
  llvm::consumeError(value.takeError());
  return Value{};
}

}  // namespace march::clang

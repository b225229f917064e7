// What a stage of the compiler, or anything else that can fail for a reason worth telling, returns.
#pragma once

#include <optional>
#include <utility>

#include "base/diagnostic.h"

namespace march {

// A value and all that was noticed on the way. There is a value exactly when no error was noticed;
// warnings travel beside the value.
template <class T>
class [[nodiscard]] Outcome {
 public:
  Outcome(T value) : value_(std::move(value)) {}  // NOLINT(google-explicit-constructor)
  Outcome(T value, Diagnostics warnings)
      : value_(std::move(value)), diagnostics_(std::move(warnings)) {
    if (HasErrors(diagnostics_)) value_.reset();
  }
  Outcome(Diagnostics errors)
      : diagnostics_(std::move(errors)) {}  // NOLINT(google-explicit-constructor)
  Outcome(Diagnostic error) {               // NOLINT(google-explicit-constructor)
    diagnostics_.push_back(std::move(error));
  }

  bool ok() const { return value_.has_value(); }
  explicit operator bool() const { return ok(); }

  const T& value() const& { return *value_; }
  T& value() & { return *value_; }
  T&& value() && { return std::move(*value_); }
  const T& operator*() const& { return *value_; }
  T& operator*() & { return *value_; }
  T&& operator*() && { return std::move(*value_); }
  const T* operator->() const { return &*value_; }
  T* operator->() { return &*value_; }

  const Diagnostics& diagnostics() const& { return diagnostics_; }
  Diagnostics&& diagnostics() && { return std::move(diagnostics_); }

 private:
  std::optional<T> value_;
  Diagnostics diagnostics_;
};

// The outcome of something that yields nothing: success is `Done{}`.
struct Done {};

}  // namespace march

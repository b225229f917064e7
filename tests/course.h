// How far a long test goes: all the way in a release, a part of it where sanitizers slow it down.
#pragma once

namespace march::tests {

template <class Number>
constexpr Number Course([[maybe_unused]] Number whole, [[maybe_unused]] Number sanitized) {
#ifdef MARCH_SANITIZED
  return sanitized;
#else
  return whole;
#endif
}

}  // namespace march::tests

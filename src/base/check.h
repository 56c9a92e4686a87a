#pragma once

/// Checks of our own invariants, on in release builds. Bytes from outside never reach one: they are decoded into a
/// value or an Error first.
namespace quorate {

/// Prints the broken fact with its place to stderr and aborts the process.
[[noreturn]] void check_failed(const char* fact, const char* file, int line);

}  // namespace quorate

#define QUORATE_CHECK(fact) \
  (__builtin_expect(static_cast<bool>(fact), true) ? void() : ::quorate::check_failed(#fact, __FILE__, __LINE__))

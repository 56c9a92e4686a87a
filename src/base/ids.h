#pragma once
#include <compare>
#include <cstddef>
#include <cstdint>
#include <functional>

/// Identifiers and units used everywhere. Each is a type of its own, so that swapped arguments do not compile.
/// Plain values, no invariants beyond their width; safe on every thread.
namespace quorate {

/// An integer that only compares with its own kind. `Tag` is never defined.
template <class Tag, class Value>
struct Id {
  Value value{};
  friend constexpr auto operator<=>(const Id&, const Id&) = default;
};

/// Names a session for its whole life, over all servers. 0 means "no session". Spec: client 2.3.
using SessionId = Id<struct SessionIdTag, int64_t>;

/// One accepted client connection of this process; never reused.
using ConnId = Id<struct ConnIdTag, uint64_t>;

/// A server of the ensemble: its myid. Spec: quorum 0.
using ServerId = Id<struct ServerIdTag, int64_t>;

/// One connection between servers on the quorum port, as the one process counts them; never reused.
using LinkId = Id<struct LinkIdTag, uint64_t>;

/// Position of a txn in the one history: epoch in the high 32 bits, counter in the low 32. Spec: quorum 0.
struct Zxid {
  int64_t value = 0;
  friend constexpr auto operator<=>(const Zxid&, const Zxid&) = default;

  constexpr int64_t epoch() const { return value >> 32; }
  constexpr uint32_t counter() const { return static_cast<uint32_t>(value); }
  /// The zxid after this one. Counter 0 stands for "start of an epoch" and is skipped. Spec: disk 4.1.
  constexpr Zxid next() const {
    const Zxid plain{value + 1};
    return plain.counter() == 0 ? Zxid{value + 2} : plain;
  }
};

/// A duration, or a reading of the monotonic clock, in milliseconds.
struct Millis {
  int64_t value = 0;
  friend constexpr auto operator<=>(const Millis&, const Millis&) = default;
  friend constexpr Millis operator+(Millis a, Millis b) { return {a.value + b.value}; }
  friend constexpr Millis operator-(Millis a, Millis b) { return {a.value - b.value}; }
};

/// Both clocks as the shell read them before a batch of inputs. The core never asks for the time itself.
struct Now {
  Millis monotonic;
  int64_t wall_ms = 0;  ///< Milliseconds since 1970; goes into txn headers and may jump.
};

}  // namespace quorate

template <class Tag, class Value>
struct std::hash<quorate::Id<Tag, Value>> {
  size_t operator()(const quorate::Id<Tag, Value>& id) const {
    // Session ids differ in few low bits only; spread them over the word.
    return static_cast<size_t>(static_cast<uint64_t>(id.value) * 0x9E3779B97F4A7C15ULL);
  }
};

#pragma once
#include <cstdint>
#include <expected>
#include <string>
#include <utility>

/// Failures of the outside world (disk, peer, bytes). Answers to clients are values, broken invariants are
/// QUORATE_CHECK; the three are never mixed.
namespace quorate {

/// Why an operation on the outside failed. A value is listed only where some caller behaves differently for it.
enum class Fault : uint8_t {
  Corrupt,   ///< Bytes break their format; never retried, the file or peer is dropped.
  Io,        ///< The kernel refused. On the log the process stops.
  NoSpace,   ///< Disk full.
  NotFound,  ///< No such file.
  Exists,    ///< The file is there already.
  Closed,    ///< The other side hung up.
  Invalid,   ///< Wrong configuration or argument.
};

struct Error {
  Fault fault = Fault::Io;
  std::string detail;  ///< What was wrong, where, and what would be right: "txn length 70000 at offset 312".
};

template <class T>
using Result = std::expected<T, Error>;

inline std::unexpected<Error> fail(Fault fault, std::string detail) {
  return std::unexpected(Error{fault, std::move(detail)});
}

}  // namespace quorate

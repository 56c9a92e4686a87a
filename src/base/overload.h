#pragma once

namespace quorate {

/// Turns lambdas into one visitor for std::visit.
template <class... Cases>
struct Overload : Cases... {
  using Cases::operator()...;
};

}  // namespace quorate

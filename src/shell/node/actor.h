#pragma once

/// Work that blocks on disk, cut in three so that a simulated world sees requests arrive in between. One piece at a
/// time: begin() and finish() run on the loop, perform() on a worker thread (or in the loop, for a lone small write).
namespace quorate::node {

class Actor {
 public:
  virtual ~Actor() = default;
  /// Sets the next piece aside. False: nothing to do. Requires: the last piece was finished.
  virtual bool begin() = 0;
  /// Does it. Touches nothing but what begin() set aside.
  virtual void perform() = 0;
};

}  // namespace quorate::node

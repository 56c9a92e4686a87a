#pragma once
#include "base/ids.h"
#include "base/log_line.h"
#include "core/replica/member.h"

/// What the connections of a member need of the server around it. Loop thread.
namespace quorate::node {

class MemberHost {
 public:
  virtual ~MemberHost() = default;
  virtual replica::Member& member() = 0;
  /// Brings the member's time up to date: before the first input that a call from the network leads to.
  virtual Now wake() = 0;
  /// Does what the member wants done: after each input.
  virtual void carry_out() = 0;
  /// A tree is about to be replaced, or walked by somebody else: whoever walks it now must stop.
  virtual void let_go_of_tree(const char* why) = 0;
  virtual void say(LogLine line) = 0;
};

}  // namespace quorate::node

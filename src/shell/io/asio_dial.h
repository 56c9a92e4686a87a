#pragma once
#include <memory>
#include <string>

#include "shell/io/event_loop.h"
#include "shell/io/loop_core.h"

/// Outgoing connections, and names that are looked up for themselves.
namespace quorate::io {

/// As EventLoop::dial() and EventLoop::look_up().
std::unique_ptr<Task> start_dial(std::shared_ptr<LoopCore> core, DialRequest request, Dialed done);
std::unique_ptr<Task> start_lookup(std::shared_ptr<LoopCore> core, const std::string& host, Millis deadline,
                                   EventLoop::Found done);

}  // namespace quorate::io

#pragma once
#include <memory>

#include "shell/io/event_loop.h"
#include "shell/io/loop_core.h"

/// Listening sockets over Asio.
namespace quorate::io {

/// As EventLoop::listen().
Result<std::unique_ptr<Listener>> make_listener(const std::shared_ptr<LoopCore>& core, const ListenSettings& settings);

}  // namespace quorate::io

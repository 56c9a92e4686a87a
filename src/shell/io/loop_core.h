#pragma once
#include <boost/asio/executor_work_guard.hpp>
#include <boost/asio/io_context.hpp>
#include <memory>
#include <utility>
#include <vector>

#include "shell/io/name_lookup.h"
#include "shell/io/tcp_stream.h"

/// What sockets need of their loop. The loop and everything it has handed out share it, so that each may go first.
/// Handlers that wait in the context never own it: it would own itself.
namespace quorate::io {

struct SocketState;

struct LoopCore {
  explicit LoopCore(Lookup lookup) : names(context, std::move(lookup)) {}

  boost::asio::io_context context{1};
  /// With no socket at all, run() still waits.
  boost::asio::executor_work_guard<boost::asio::io_context::executor_type> guard{context.get_executor()};
  NameLookup names;
  std::vector<std::shared_ptr<SocketState>> to_rearm, rearming;  ///< Waits that start with the next round.
  std::vector<TcpStream::Callback> replaced;  ///< By a watch() that may have been called by one of them.
};

}  // namespace quorate::io

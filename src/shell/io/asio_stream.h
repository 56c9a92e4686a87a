#pragma once
#include <boost/asio/ip/tcp.hpp>
#include <memory>

#include "shell/io/loop_core.h"
#include "shell/io/tcp_stream.h"

/// The one TcpStream there is, over an Asio socket.
namespace quorate::io {

SocketName name_of(const boost::asio::ip::tcp::endpoint& endpoint);

/// Takes over a connected socket and gives it its settings. Null: the peer has gone already.
std::unique_ptr<TcpStream> make_stream(std::shared_ptr<LoopCore> core, boost::asio::ip::tcp::socket socket,
                                       const SocketSettings& settings);

/// Starts the waits of the sockets that were called in the last round.
void rearm_sockets(LoopCore& core);

}  // namespace quorate::io

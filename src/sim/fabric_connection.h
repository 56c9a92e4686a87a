#pragma once
#include <deque>

#include "sim/fabric.h"

/// What the parts of the fabric know of a connection. Private to fabric*.cc.
namespace quorate::sim {

struct Fabric::Piece {
  int64_t at = 0;
  Kind kind = Kind::Data;
  std::string bytes;
};

/// One direction of a connection.
struct Fabric::Pipe {
  std::deque<Piece> flying;
  int64_t due_at = -1;     ///< When the agenda looks after the first of them; negative: not at all.
  bool stuck = false;      ///< It met a cut or a host that is off, and waits for better times.
  bool torn = false;       ///< A part of the bytes is lost, so no more of them may arrive.
  bool abandoned = false;  ///< No kernel repeats what does not arrive.
  size_t used = 0;         ///< Of the window.
  size_t unconfirmed = 0;  ///< Read over there, but the way back is cut.
  uint32_t trouble = 0;    ///< How often it was over; a sender gives up when one lasts.
  bool troubled = false;
  int64_t user_timeout_us = 0;  ///< 0: the connection's own.
};

struct Fabric::End {
  HostId host = 0;
  Phase phase = Phase::Not;
  bool peer_ended = false;
  std::string arrived;
  size_t read = 0;  ///< Of arrived.
  bool wants_readable = false;
  bool wants_writable = false;
  bool call_due = false;
  std::shared_ptr<std::pair<SimStream::Callback, SimStream::Callback>> watchers;  ///< Readable, writable.
};

struct Fabric::Connection {
  uint32_t number = 0;
  uint16_t port = 0;
  int64_t give_up_us = 0;  ///< Bytes that stay unconfirmed for so long break it.
  Dialed dialed;
  std::array<End, 2> ends;
  std::array<Pipe, 2> pipes;  ///< By the side that sends.
};

inline Fabric::End& Fabric::Place::end() const { return connection->ends[side]; }
inline Fabric::End& Fabric::Place::other_end() const { return connection->ends[1 - side]; }
inline Fabric::Pipe& Fabric::Place::out() const { return connection->pipes[side]; }
inline Fabric::Pipe& Fabric::Place::in() const { return connection->pipes[1 - side]; }

/// The stream that a process holds.
class Fabric::Handle final : public SimStream {
 public:
  Handle(Fabric& fabric, Place place) : fabric_(fabric), place_(std::move(place)) {}
  ~Handle() override { fabric_.close(place_, false); }

  Result<size_t> receive(std::span<char> into) override { return fabric_.receive(place_, into); }
  Result<size_t> send(std::string_view bytes) override { return fabric_.send(place_, bytes); }
  void want_writable(bool wanted) override;
  void want_readable(bool wanted) override;
  void reset() override { fabric_.close(place_, true); }
  void watch(Callback readable, Callback writable) override;
  bool readable() const override;
  bool writable() const override;
  void set_user_timeout(Millis timeout) override { place_.out().user_timeout_us = timeout.value * 1000; }
  HostId peer() const override { return place_.other_end().host; }
  uint32_t number() const override { return place_.connection->number; }

 private:
  Fabric& fabric_;
  Place place_;
};

}  // namespace quorate::sim

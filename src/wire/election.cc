#include "wire/election.h"

#include <fmt/format.h>

#include <algorithm>
#include <charconv>
#include <optional>
#include <ranges>
#include <utility>

#include "base/check.h"
#include "wire/archive.h"

namespace quorate::wire {
namespace {

constexpr int64_t kHelloV1 = -65536;
constexpr int64_t kHelloV2 = -65535;
constexpr size_t kBareSidBytes = 8;
constexpr size_t kHelloHeadBytes = 20;
constexpr int32_t kMaxPort = 65535;

constexpr size_t kLengthBytes = 4;
constexpr size_t kOldestBytes = 28;
constexpr size_t kOldBytes = 40;
constexpr size_t kNotificationHeadBytes = 44;

/// What a resolver may be asked for, and a log may show.
bool is_host(std::string_view host) {
  constexpr std::string_view kMarks = "-_.:%";
  return !host.empty() && std::ranges::all_of(host, [&](char c) {
    const bool letter = (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9');
    return letter || static_cast<unsigned char>(c) >= 0x80 || kMarks.find(c) != std::string_view::npos;
  });
}

/// Zero in all spellings of IPv4 and IPv6.
bool is_wildcard(std::string_view host) { return host.find_first_not_of("0.:") == std::string_view::npos; }

std::optional<HostPort> parse_host_port(std::string_view text) {
  const bool bracketed = text.starts_with('[');
  const size_t end = bracketed ? text.find("]:") : text.find(':');
  if (end == std::string_view::npos) return std::nullopt;
  const std::string_view host = text.substr(bracketed ? 1 : 0, bracketed ? end - 1 : end);
  const std::string_view digits = text.substr(end + (bracketed ? 2 : 1));
  int32_t port = -1;
  const auto [stop, error] = std::from_chars(digits.data(), digits.data() + digits.size(), port);
  if (error != std::errc() || stop != digits.data() + digits.size()) return std::nullopt;
  if (!is_host(host) || port < 0 || port > kMaxPort) return std::nullopt;
  return HostPort{std::string(host), port};
}

/// The addresses of `text`, which pipes separate; none if one of them is no address.
std::optional<std::vector<HostPort>> parse_addresses(std::string_view text) {
  std::vector<HostPort> addresses;
  for (size_t start = 0; start <= text.size();) {
    const size_t end = std::min(text.find('|', start), text.size());
    auto address = parse_host_port(text.substr(start, end - start));
    if (!address) return std::nullopt;
    if (!is_wildcard(address->host)) addresses.push_back(std::move(*address));
    start = end + 1;
  }
  return addresses;
}

std::string to_text(const HostPort& address) {
  const bool bracketed = address.host.find(':') != std::string::npos;
  const std::string host = bracketed ? "[" + address.host + "]" : address.host;
  return host + ":" + std::to_string(address.port);
}

bool decode_config(Decoder& in, size_t message_bytes, Notification& notification) {
  const int32_t length = in.i32();
  if (!in.ok() || length < 0 || static_cast<size_t>(length) > message_bytes) return false;
  if (static_cast<size_t>(length) > in.rest().size()) return false;
  notification.config = in.rest().substr(0, static_cast<size_t>(length));
  return true;
}

}  // namespace

bool decode_notification(std::string_view message, Notification& notification) {
  if (message.size() < kOldestBytes) return false;
  Decoder in(message);
  Notification read;
  read.state = in.i32();
  read.leader = in.i64();
  read.zxid = Zxid{in.i64()};
  read.round = in.i64();
  read.peer_epoch = message.size() == kOldestBytes ? read.zxid.epoch() : in.i64();
  read.version = message.size() == kOldestBytes ? 0 : in.i32();
  if (message.size() == kOldBytes) read.version = 0;
  if (!in.ok()) return false;
  if (read.version > 1 && !decode_config(in, message.size(), read)) return false;
  notification = read;
  return true;
}

void append_notification(ByteBuffer& out, const Notification& notification) {
  QUORATE_CHECK(notification.version > 1 && !is_absent(notification.config));
  Encoder encoder(out);
  encoder.i32(static_cast<int32_t>(kNotificationHeadBytes + notification.config.size()));
  encoder.i32(notification.state);
  encoder.i64(notification.leader);
  encoder.i64(notification.zxid.value);
  encoder.i64(notification.round);
  encoder.i64(notification.peer_epoch);
  encoder.i32(notification.version);
  encoder.view(notification.config);
}

PacketCut cut_hello(std::string_view stream, ElectionHello& hello) {
  if (stream.size() < kBareSidBytes) return PacketCut::incomplete(kBareSidBytes);
  const auto version = static_cast<int64_t>(load_be64(stream.data()));
  if (version >= 0) {
    hello = {ServerId{version}, {}};
    return PacketCut::whole(kBareSidBytes);
  }
  if (version != kHelloV1 && version != kHelloV2) {
    return PacketCut::malformed(fmt::format("{} is no version of the election protocol", version));
  }
  if (stream.size() < kHelloHeadBytes) return PacketCut::incomplete(kHelloHeadBytes);
  const auto length = static_cast<int32_t>(load_be32(stream.data() + 16));
  if (length < 1 || length > kMaxHelloAddressBytes) {
    return PacketCut::malformed(fmt::format("address length {} is not within 1 and {}", length, kMaxHelloAddressBytes));
  }
  const size_t end = kHelloHeadBytes + static_cast<size_t>(length);
  if (stream.size() < end) return PacketCut::incomplete(end);
  const std::string_view text = stream.substr(kHelloHeadBytes, static_cast<size_t>(length));
  auto addresses = parse_addresses(text);
  if (!addresses) return PacketCut::malformed("the election addresses do not have the form host:port|host:port");
  hello = {ServerId{static_cast<int64_t>(load_be64(stream.data() + 8))}, std::move(*addresses)};
  return PacketCut::whole(end);
}

void append_hello(ByteBuffer& out, const ElectionHello& hello) {
  QUORATE_CHECK(!hello.addresses.empty());
  std::string text = to_text(hello.addresses.front());
  bool several = false;
  for (const HostPort& address : hello.addresses | std::views::drop(1)) {
    const std::string more = "|" + to_text(address);
    if (text.size() + more.size() > kMaxHelloAddressBytes) break;
    text += more;
    several = true;
  }
  Encoder encoder(out);
  encoder.i64(several ? kHelloV2 : kHelloV1);
  encoder.i64(hello.sid.value);
  encoder.view(text);
}

PacketCut cut_message(std::string_view stream, std::string_view& message) {
  if (stream.size() < kLengthBytes) return PacketCut::incomplete(kLengthBytes + 1);
  const auto length = static_cast<int32_t>(load_be32(stream.data()));
  if (length < 1 || length > kMaxNotificationBytes) {
    return PacketCut::malformed(fmt::format("message length {} is not within 1 and {}", length, kMaxNotificationBytes));
  }
  const size_t end = kLengthBytes + static_cast<size_t>(length);
  if (stream.size() < end) return PacketCut::incomplete(end);
  message = stream.substr(kLengthBytes, static_cast<size_t>(length));
  return PacketCut::whole(end);
}

}  // namespace quorate::wire

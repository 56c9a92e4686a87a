#include "wire/quorum.h"

#include <fmt/format.h>

#include <algorithm>

#include "base/check.h"

namespace quorate::wire {
namespace {

constexpr size_t kDataLengthAt = 12;
constexpr size_t kLengthBytes = 4;
constexpr size_t kStringsOfIdentity = 2;

int32_t length_at(std::string_view stream, size_t at) { return static_cast<int32_t>(load_be32(stream.data() + at)); }

bool out_of_range(int32_t length, size_t limit) {
  return length < -1 || (length > 0 && static_cast<size_t>(length) > limit);
}

size_t bytes_behind(int32_t length) { return static_cast<size_t>(std::max(length, 0)); }

/// Steps over the parts of one packet as far as the stream goes. `cut_` says how far; what it says while Incomplete is
/// where the next one goes on.
class Walk {
 public:
  Walk(std::string_view stream, size_t max_data_bytes, const PacketCut& before)
      : stream_(stream), limit_(max_data_bytes) {
    if (before.cut == Cut::Incomplete) cut_ = before;
  }

  PacketCut take(QuorumPacket& packet) {
    bool going_on = cut_.walked > 0 || walk_to_strings();
    while (going_on && cut_.strings_left > 0) going_on = walk_string();
    if (!going_on) return std::move(cut_);
    Decoder in(stream_.substr(0, cut_.walked));
    QUORATE_CHECK(decode(in, packet) && in.ended());
    return PacketCut::whole(cut_.walked);
  }

 private:
  bool incomplete(size_t needed) {
    cut_.needed = needed;
    return false;
  }
  bool malformed(std::string why) {
    cut_ = PacketCut::malformed(std::move(why));
    return false;
  }

  bool walk_to_strings() {
    if (stream_.size() < kDataLengthAt + kLengthBytes) return incomplete(kSmallestPacketBytes);
    const int32_t length = length_at(stream_, kDataLengthAt);
    if (out_of_range(length, limit_)) {
      return malformed(fmt::format("data length {} is not within -1 and {}", length, limit_));
    }
    const size_t auth_at = kDataLengthAt + kLengthBytes + bytes_behind(length);
    if (stream_.size() < auth_at + kLengthBytes) return incomplete(auth_at + kLengthBytes);
    const int32_t count = length_at(stream_, auth_at);
    if (out_of_range(count, kMaxAuthBytes / (kStringsOfIdentity * kLengthBytes))) {
      return malformed(fmt::format("a packet with {} identities", count));
    }
    cut_.walked = auth_at + kLengthBytes;
    cut_.strings_left = kStringsOfIdentity * bytes_behind(count);
    return true;
  }

  bool walk_string() {
    const size_t others_need = (cut_.strings_left - 1) * kLengthBytes;
    const size_t begin = cut_.walked + kLengthBytes;
    if (stream_.size() < begin) return incomplete(begin + others_need);
    const int32_t length = length_at(stream_, cut_.walked);
    if (out_of_range(length, limit_)) {
      return malformed(fmt::format("length {} of an identity is not within -1 and {}", length, limit_));
    }
    const size_t end = begin + bytes_behind(length);
    const size_t auth_at = kDataLengthAt + kLengthBytes + bytes_behind(length_at(stream_, kDataLengthAt));
    if (end + others_need - auth_at > kMaxAuthBytes) {
      return malformed(fmt::format("identities of more than {} bytes", kMaxAuthBytes));
    }
    if (stream_.size() < end) return incomplete(end + others_need);
    cut_.walked = end;
    --cut_.strings_left;
    return true;
  }

  std::string_view stream_;
  size_t limit_;
  PacketCut cut_;
};

}  // namespace

bool decode_learner_info(std::string_view data, LearnerInfo& info) {
  if (data.size() < 8) return false;
  Decoder in(data);
  info.server_id = in.i64();
  info.protocol_version = data.size() >= 12 ? in.i32() : 0;
  info.config_version = data.size() >= 20 ? in.i64() : 0;
  return true;
}

PacketCut cut_packet(std::string_view stream, size_t max_data_bytes, QuorumPacket& packet, const PacketCut& before) {
  return Walk(stream, max_data_bytes, before).take(packet);
}

void append_packet(ByteBuffer& out, PacketType type, Zxid zxid, std::string_view data) {
  Encoder encoder(out);
  encode(encoder, QuorumPacket{static_cast<int32_t>(type), zxid, data, {}});
}

}  // namespace quorate::wire

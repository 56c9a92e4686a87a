#pragma once
#include <fmt/format.h>

#include <algorithm>
#include <map>
#include <optional>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "core/zab/lead.h"
#include "core/zab/zxid_text.h"
#include "wire/record.h"

/// What the tests of leading share: packets of learners, and a shell of a few lines around one Lead that writes down
/// all that happens, one line each. Learners are known by their server ids; a learner's link has ten times its id.
namespace quorate::zab::lead_testing {

using wire::PacketType;

constexpr Zxid zxid(int64_t epoch, int64_t counter) { return {(epoch << 32) | counter}; }

inline std::string txn(Zxid zxid, size_t body = 0) {
  std::string payload(32 + body, 'x');
  wire::store_be64(payload.data() + 12, static_cast<uint64_t>(zxid.value));
  return payload;
}

inline std::string packet(PacketType type, Zxid zxid, std::string_view data = wire::kAbsent) {
  ByteBuffer bytes;
  append_packet(bytes, type, zxid, data);
  return std::string(bytes.view());
}

template <class Record>
std::string bytes_of(const Record& record) {
  ByteBuffer bytes;
  wire::Encoder out(bytes);
  encode(out, record);
  return std::string(bytes.view());
}

inline std::string int32_bytes(int32_t value) {
  std::string bytes(4, '\0');
  wire::store_be32(bytes.data(), static_cast<uint32_t>(value));
  return bytes;
}

inline std::string follower_info(int64_t sid, int64_t accepted, int32_t version = wire::kLearnerProtocol) {
  return packet(PacketType::FollowerInfo, zxid(accepted, 0), bytes_of(wire::LearnerInfo{sid, version, 0}));
}
inline std::string observer_info(int64_t sid, int64_t accepted) {
  return packet(PacketType::ObserverInfo, zxid(accepted, 0),
                bytes_of(wire::LearnerInfo{sid, wire::kLearnerProtocol, 0}));
}
inline std::string ack_epoch(Zxid last, int32_t current) {
  return packet(PacketType::AckEpoch, last, int32_bytes(current));
}
inline std::string ack(Zxid zxid) { return packet(PacketType::Ack, zxid); }
inline std::string ping(std::string_view data = "") { return packet(PacketType::Ping, {0}, data); }

inline std::string name_of(int32_t type) {
  static const std::vector<std::string> kNames = {
      "",          "REQUEST",      "PROPOSAL",   "ACK",      "COMMIT",
      "PING",      "REVALIDATE",   "SYNC",       "INFORM",   "COMMITANDACTIVATE",
      "NEWLEADER", "FOLLOWERINFO", "UPTODATE",   "DIFF",     "TRUNC",
      "SNAP",      "OBSERVERINFO", "LEADERINFO", "ACKEPOCH", "INFORMANDACTIVATE"};
  return type > 0 && type < 20 ? kNames[static_cast<size_t>(type)] : fmt::format("type {}", type);
}

inline Electorate voters(int64_t count) {
  QuorumRule rule;
  for (int64_t id = 1; id <= count; ++id) rule.voters.push_back({.id = {id}});
  return Electorate(rule);
}

/// How the leader starts. Its log holds `history` behind `base`.
struct Start {
  int64_t self = 2;
  int64_t voters = 3;
  Epochs epochs{1, 1};
  Zxid base = zxid(1, 5);
  std::vector<Zxid> history{};
  size_t keep = 500;
  LeadSettings settings{};
};

class Bench {
 public:
  explicit Bench(Start start = {})
      : journal(start.base, start.keep),
        lead(filled(start), voters(start.voters), start.epochs, load(start.history), journal, now) {
    look();
  }

  // What learners do.
  void arrive(int64_t sid) {
    lead.on_learner(link(sid), now);
    look();
  }
  /// One packet, or several.
  void say(int64_t sid, std::string_view bytes) {
    while (!bytes.empty()) {
      wire::QuorumPacket given;
      const wire::PacketCut cut = wire::cut_packet(bytes, 1 << 20, given);
      if (cut.cut != wire::Cut::Whole) return page.push_back("not a packet");
      page.push_back(fmt::format("{} > {}", sid, text_of(given)));
      lead.on_packet(link(sid), given, now);
      look();
      bytes.remove_prefix(cut.bytes);
    }
  }
  void leave(int64_t sid) {
    page.push_back(fmt::format("{} gone", sid));
    lead.on_closed(link(sid));
    look();
  }
  /// From the connection to UPTODATE, as one that lacks nothing.
  void join(int64_t sid, bool observer = false) {
    arrive(sid);
    say(sid, observer ? observer_info(sid, 0) : follower_info(sid, 0));
    finish_disk();
    say(sid, ack_epoch(journal.committed(), 0));
    finish_disk();
    say(sid, ack(start_of_epoch()));
  }

  // What the shell does.
  void finish_disk() {
    if (!lead.out().disk) return;
    told_order_ = false;
    lead.on_disk_done(now);
    look();
  }
  void persist() {
    while (journal.has_batch()) {
      const Zxid last = journal.take_batch().last;
      journal.on_persisted();
      page.push_back("durable " + hex(last));
      lead.on_persisted(now);
      look();
    }
    while (!journal.next_to_apply().empty()) continue;
  }
  void send_tree(int64_t sid) {
    page.push_back(fmt::format("{} < the tree", sid));
    lead.on_tree_sent(link(sid), now);
    look();
  }
  /// The next half ticks.
  void beat(int count = 1) {
    for (; count > 0 && lead.phase() != LeadPhase::Over; --count) {
      now = lead.next_time();
      page.push_back(fmt::format("time {}", now.value));
      lead.on_time(now);
      look();
    }
  }

  // What the replica does.
  void propose(Zxid zxid, const std::string& payload) {
    journal.append(zxid, payload);
    lead.propose(zxid, payload);
    look();
  }
  void propose(Zxid zxid) { propose(zxid, txn(zxid)); }
  /// So many, made durable here.
  void propose_durable(int count) {
    for (; count > 0; --count) propose(*lead.next_zxid());
    persist();
  }

  Zxid start_of_epoch() const { return {lead.epoch() << 32}; }
  bool knows(int64_t sid) { return lead.find(link(sid)) != nullptr; }
  LearnerPhase phase_of(int64_t sid) { return lead.find(link(sid))->phase; }
  static LinkId link(int64_t sid) { return {static_cast<uint64_t>(sid) * 10}; }

  /// What happened since the last call; log lines only where they tell why a link was closed.
  std::vector<std::string> take() { return std::exchange(page, {}); }
  /// The same, of one learner.
  std::vector<std::string> take(int64_t sid) {
    std::vector<std::string> all = take();
    const std::string begin = fmt::format("{} ", sid);
    std::erase_if(all, [&](const std::string& line) { return !line.starts_with(begin); });
    return all;
  }

  /// Takes the outputs.
  void look() {
    LeadOutput& out = lead.out();
    if (out.disk && !told_order_) {
      page.push_back(fmt::format("disk: {} {}",
                                 out.disk->kind == DiskOrder::Kind::AcceptedEpoch ? "acceptedEpoch" : "currentEpoch",
                                 out.disk->epoch));
      told_order_ = true;
    }
    if (out.established) page.push_back("established");
    std::ranges::sort(out.dirty, {}, &LinkId::value);
    for (const LinkId dirty : out.dirty) take_bytes(dirty);
    for (const auto& wish : out.histories) {
      page.push_back(fmt::format("{} history {} to {}", sid_of(wish.link), hex(wish.after), hex(wish.until)));
    }
    for (const LinkId tree : out.trees) page.push_back(fmt::format("{} tree", sid_of(tree)));
    for (const Forwarded& request : out.requests) {
      page.push_back(fmt::format("{} asks op {} of {:#x}, {} bytes, {} identities", sid_of(request.from),
                                 request.header.op, request.header.session.value, request.record.size(),
                                 request.auth.size()));
    }
    for (const auto& [asked, session] : out.revalidations) {
      page.push_back(fmt::format("{} revalidates {:#x} {}", sid_of(asked), session.session.value, session.timeout_ms));
    }
    for (const wire::SessionTimeout& touch : out.touched) {
      page.push_back(fmt::format("touched {:#x} {}", touch.session.value, touch.timeout_ms));
    }
    for (const LogLine& line : out.lines) {
      if (line.level == Level::Warn) page.push_back(line.text);
      log.push_back(line.text);
    }
    for (const LinkId closed : out.closes) page.push_back(fmt::format("{} closed", sid_of(closed)));
    out.clear();
  }

  Millis now{0};
  Journal journal;
  Lead lead;
  std::map<LinkId, std::string> sent;  ///< All bytes to each.
  std::vector<std::string> page;
  std::vector<std::string> log;

 private:
  static LeadSettings filled(Start& start) {
    start.settings.self = {start.self};
    if (start.settings.config_text.empty()) start.settings.config_text = "version=0";
    return std::move(start.settings);
  }
  Zxid load(const std::vector<Zxid>& history) {
    for (const Zxid zxid : history) journal.append(zxid, txn(zxid));
    while (journal.has_batch()) {
      journal.take_batch();
      journal.on_persisted();
    }
    journal.settle();
    while (!journal.next_to_apply().empty()) continue;
    return journal.durable();
  }
  static int64_t sid_of(LinkId link) { return static_cast<int64_t>(link.value / 10); }
  static std::string text_of(const wire::QuorumPacket& packet) {
    std::string text = name_of(packet.type) + " " + hex(packet.zxid);
    if (packet.kind() == PacketType::AckEpoch) text += fmt::format(" epoch {}", wire::Decoder(packet.data).i32());
    return text;
  }
  void take_bytes(LinkId link) {
    ByteBuffer& bytes = lead.find(link)->out;
    sent[link].append(bytes.view());
    for (wire::Decoder in(bytes.view()); !in.ended();) {
      wire::QuorumPacket left;
      wire::decode(in, left);
      page.push_back(fmt::format("{} < {}", sid_of(link), text_of(left)));
    }
    bytes.clear();
  }

  bool told_order_ = false;
};

}  // namespace quorate::zab::lead_testing

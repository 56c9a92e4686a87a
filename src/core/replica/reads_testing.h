#pragma once
#include <cctype>
#include <cstdlib>
#include <string>
#include <string_view>
#include <vector>

#include "core/replica/reads.h"
#include "core/tree/tree.h"
#include "wire/archive.h"

/// What the tests of reads share: bytes from hex or from primitives, and a small world. The world's nodes, stats and
/// zxid are those of a run against Apache ZooKeeper 3.8.0, so that the replies recorded there can be compared whole.
namespace quorate::replica::testing {

/// "00 2f61" to bytes; blanks are for the eye.
inline std::string hex(std::string_view digits) {
  std::string bare;
  for (const char c : digits) {
    if (std::isxdigit(static_cast<unsigned char>(c)) != 0) bare.push_back(c);
  }
  std::string bytes;
  for (size_t i = 0; i + 1 < bare.size(); i += 2) {
    bytes.push_back(static_cast<char>(std::strtol(bare.substr(i, 2).c_str(), nullptr, 16)));
  }
  return bytes;
}

/// Bytes put together from primitives, for requests and expected replies.
class Bytes {
 public:
  Bytes& i8(int value) { return raw(std::string(1, static_cast<char>(value))); }
  Bytes& i32(int32_t value) {
    char at[4];
    wire::store_be32(at, static_cast<uint32_t>(value));
    return raw({at, 4});
  }
  Bytes& i64(int64_t value) {
    char at[8];
    wire::store_be64(at, static_cast<uint64_t>(value));
    return raw({at, 8});
  }
  Bytes& text(std::string_view value) { return i32(static_cast<int32_t>(value.size())).raw(value); }
  Bytes& null() { return i32(-1); }
  Bytes& texts(const std::vector<std::string_view>& values) {
    i32(static_cast<int32_t>(values.size()));
    for (const std::string_view value : values) text(value);
    return *this;
  }
  Bytes& raw(std::string_view bytes) {
    bytes_.append(bytes);
    return *this;
  }
  operator std::string() const { return bytes_; }  // NOLINT: reads as the bytes it holds

 private:
  std::string bytes_;
};

/// A whole frame: length, header, body.
inline std::string frame(int32_t xid, int64_t zxid, int32_t err, const std::string& body = "") {
  return Bytes().i32(static_cast<int32_t>(16 + body.size())).i32(xid).i64(zxid).i32(err).raw(body);
}

inline std::string event_frame(wire::Event event, std::string_view path, int64_t zxid) {
  return frame(-1, zxid, 0, Bytes().i32(static_cast<int32_t>(event)).i32(3).text(path));
}

inline std::string path_watch(std::string_view path, bool watch) { return Bytes().text(path).i8(watch ? 1 : 0); }

inline std::string acl_bytes(int32_t perms, std::string_view scheme, std::string_view id) {
  return Bytes().i32(1).i32(perms).text(scheme).text(id);
}

constexpr SessionId kSession{0x100000000000001};
constexpr int64_t kZxid = 7;
constexpr int64_t kTime = 0x1a1f8504531;

/// `/` with /a (data "hi", children x and y), /n (null data), the session's ephemerals /eph and /ephx, and the nodes
/// that a test adds.
struct World {
  tree::Tree tree{tree::HashKey{1, 2}};
  tree::WatchTables watches;
  auth::Auth auth = auth::Auth::make({}).value();
  Reads reads{tree, watches, auth};
  Connection connection;

  World() {
    connection.id = ConnId{5};
    connection.phase = Phase::Live;
    connection.session = kSession;
    connection.identities.push_back({"ip", "127.0.0.1"});
    add("/a", "hi", 2);
    add("/n", wire::kAbsent, 3);
    add("/a/x", "", 4);
    add("/a/y", "", 5);
    add("/eph", "", 6, kSession.value);
    add("/ephx", "", 7, kSession.value);
    children_created("/a", 2, 5);
    children_created("/", 4, 7);
    tree.set_last_zxid(Zxid{kZxid});
  }

  tree::NodeRef add(std::string_view path, std::string_view data, int64_t zxid, int64_t owner = 0) {
    wire::StatPersisted stat;
    stat.czxid = stat.mzxid = stat.pzxid = zxid;
    stat.ctime = stat.mtime = kTime;
    stat.ephemeral_owner = owner;
    return tree.insert({.path = path, .data = data, .acl = tree::kOpenAcl, .stat = stat});
  }
  void protect(std::string_view path, std::string_view acl) {
    const tree::NodeRef node = tree.find(path);
    tree.set_acl(node, tree.acls().intern(acl));
  }
  void children_created(std::string_view path, int32_t count, int64_t pzxid) {
    const tree::NodeRef node = tree.find(path);
    wire::StatPersisted stat = tree.stored_stat(node);
    stat.cversion = count;
    stat.pzxid = pzxid;
    tree.set_stat(node, stat);
  }

  /// Everything that the request makes the connection send.
  std::string ask(wire::Op op, const std::string& body, int32_t xid = 9) {
    connection.out.clear();
    reads.answer(connection, {op, xid, body, connection.identities});
    return std::string(connection.out.view());
  }
  /// The body behind a successful reply's header.
  std::string body_of(wire::Op op, const std::string& body) {
    const std::string reply = ask(op, body);
    return reply.substr(0, 20) == frame(9, kZxid, 0, reply.substr(20)).substr(0, 20) ? reply.substr(20) : "refused";
  }
  bool watches_path(std::string_view path, int32_t type) const {
    return connection.watcher.has_value() && watches.contains(*connection.watcher, path, type);
  }
};

}  // namespace quorate::replica::testing

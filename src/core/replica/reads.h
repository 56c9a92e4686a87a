#pragma once
#include <cstdint>
#include <string_view>

#include "core/auth/auth.h"
#include "core/replica/access.h"
#include "core/replica/connection.h"
#include "core/tree/tree.h"
#include "core/tree/watch_table.h"
#include "wire/archive.h"
#include "wire/client.h"
#include "wire/codes.h"

/// Answers everything that changes no tree: reads, watch registrations, whoAmI, sync, ping. Called when it is the
/// request's turn; appends notifications and the framed reply to the connection's output. Counting the reply is the
/// caller's part; the notifications of setWatches, which it does not see, are added to the connection's `sent` here.
/// Spec: client 3, 4.7, 4.9, 7.
namespace quorate::replica {

struct ReadRequest {
  wire::Op op = wire::Op::Ping;
  int32_t xid = 0;
  std::string_view body;  ///< The request record, behind the header.
  auth::Holders who{};    ///< As they were when the request was read (client 10.1).
};

class Reads {
 public:
  Reads(const tree::Tree& tree, tree::WatchTables& watches, const auth::Auth& auth)
      : tree_(tree), watches_(watches), auth_(auth), access_{tree, auth} {}

  /// True for every type that answer() takes.
  static bool is_read(wire::Op op);

  /// Returns the code that was answered. The reply's zxid is the tree's last one.
  wire::Code answer(Connection& connection, const ReadRequest& request);

 private:
  struct Found {
    wire::Code code = wire::Code::NoNode;
    tree::NodeRef node = tree::kNoNode;
  };

  /// One request each: reads its record from `in`, appends the reply's body. What was appended counts only with Ok.
  wire::Code serve(Connection& connection, wire::Op op, wire::Decoder in);
  wire::Code exists(Connection& connection, wire::Decoder in);
  wire::Code get_data(Connection& connection, wire::Decoder in);
  wire::Code get_children(Connection& connection, wire::Decoder in, bool with_stat);
  wire::Code get_acl(Connection& connection, wire::Decoder in) const;
  wire::Code count_children(Connection& connection, wire::Decoder in) const;
  wire::Code get_ephemerals(Connection& connection, wire::Decoder in) const;
  wire::Code sync(Connection& connection, wire::Decoder in) const;
  wire::Code who_am_i(Connection& connection) const;

  // multi_read.cc
  wire::Code multi_read(Connection& connection, wire::Decoder in) const;
  void append_part(int32_t type, std::string_view path, Connection& connection) const;

  // watch_requests.cc
  wire::Code add_watch(Connection& connection, wire::Decoder in);
  wire::Code check_watches(const Connection& connection, wire::Decoder in) const;
  wire::Code remove_watches(const Connection& connection, wire::Decoder in);
  /// Appends its notifications at once, so no reply may be open.
  wire::Code set_watches(Connection& connection, wire::Op op, wire::Decoder in);
  static void tell_missed(Connection& connection, wire::Event event, std::string_view path);
  void restore_data_watch(Connection& connection, std::string_view path, int64_t seen_zxid);
  void restore_exist_watch(Connection& connection, std::string_view path);
  void restore_child_watch(Connection& connection, std::string_view path, int64_t seen_zxid);
  void watch(Connection& connection, tree::WatchTable table, std::string_view path, tree::WatchMode mode);

  /// Node missing, then READ refused. Spec: client 4.7.
  Found find_readable(std::string_view path) const;
  void append_data(tree::NodeRef node, ByteBuffer& out) const;
  void append_children(tree::NodeRef node, ByteBuffer& out) const;

  const tree::Tree& tree_;
  tree::WatchTables& watches_;
  const auth::Auth& auth_;
  const Access access_;
  auth::Holders who_;  ///< Of the request at hand.
};

/// Appends a notification frame; a closed connection gets none. Counting it is the caller's part. Spec:
/// client 7.3, 7.6.
void notify(Connection& connection, wire::Event event, std::string_view path, Zxid zxid);

}  // namespace quorate::replica

#pragma once
#include <cstdint>
#include <string_view>
#include <vector>

#include "core/auth/auth.h"
#include "core/replica/connection.h"
#include "core/tree/tree.h"
#include "core/tree/watch_table.h"
#include "wire/codes.h"

/// Answers everything that changes no tree: reads, watch registrations, whoAmI, sync, ping. Called when it is the
/// request's turn; appends notifications and the framed reply to the connection's output. Spec: client 3, 4.7, 4.9, 7.
namespace quorate::replica {

struct ReadRequest {
  wire::Op op = wire::Op::Ping;
  int32_t xid = 0;
  std::string_view body;  ///< The request record, behind the header.
};

class Reads {
 public:
  Reads(const tree::Tree& tree, tree::WatchTables& watches, const auth::Auth& auth)
      : tree_(tree), watches_(watches), auth_(auth) {}

  /// True for every type that answer() takes.
  static bool is_read(wire::Op op);

  /// Returns the code that was answered. The reply's zxid is the tree's last one.
  wire::Code answer(Connection& connection, const ReadRequest& request);

 private:
  const tree::Tree& tree_;
  tree::WatchTables& watches_;
  const auth::Auth& auth_;
};

/// Appends a notification frame. Spec: client 7.3, 7.6.
void notify(Connection& connection, wire::Event event, std::string_view path, Zxid zxid);

}  // namespace quorate::replica

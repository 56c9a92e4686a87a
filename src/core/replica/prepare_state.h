#pragma once
#include <string>
#include <string_view>
#include <vector>

#include "core/replica/pending.h"
#include "core/replica/prepare.h"
#include "core/replica/write_ask.h"
#include "wire/archive.h"

/// The inside of the preparer, cut over several files by kind of request.
namespace quorate::replica {

constexpr size_t kTxnOverhead = 96;  ///< Header, lengths, digest and suffix of a txn, rounded up.

/// One request on its way to one txn.
struct Turn {
  const WriteRequest& request;
  Zxid zxid;
  Now now;
  wire::Encoder out;  ///< Behind the header.
};

/// Each judging function either refuses with a code, and has then neither changed anything nor written, or records
/// the change as pending and writes the txn's record.
struct Preparer::State {
  State(const tree::Tree& tree_in, session::SessionTable& sessions_in, const auth::Auth& auth_in,
        const ReplicaSettings& settings_in)
      : tree(tree_in), sessions(sessions_in), auth(auth_in), settings(settings_in), pending(tree_in, settings_in) {}

  // prepare.cc
  wire::Code dispatch(Turn& turn, Prepared& prepared);
  wire::Code single(wire::Op op, Turn& turn);
  wire::Code judge(const Ask& ask, Turn& turn);
  wire::Code reconfig(const Turn& turn);
  /// Spec: client 8.4, 8.7. Members call an unknown session expired; a server of its own only for an ephemeral.
  wire::Code check_session(const WriteRequest& request, bool for_ephemeral) const;
  bool permits(const Pending::Seen& seen, int32_t wanted, const Turn& turn) const;
  /// Writes the storable form of a request's list to `acl`.
  wire::Code fix_acl(const wire::AclVector& list, const Turn& turn);
  bool over_quota(std::string_view path, int64_t count_delta, int64_t bytes_delta) const;
  /// Would a txn of about so many bytes pass the limit that readers of logs and proposals have? Spec: disk 0.
  bool too_long(size_t bytes) const;

  // prepare_create.cc
  wire::Code create(const Ask& ask, Turn& turn);
  wire::Code check_mode(const Ask& ask) const;
  std::string_view final_path(const Ask& ask, int32_t created);
  void record_create(const Ask& ask, const Turn& turn, const Pending::Seen& parent, const Pending::Seen& node);
  void write_create(const Ask& ask, Turn& turn, std::string_view path, int32_t parent_cversion);

  // prepare_change.cc
  wire::Code remove(const Ask& ask, Turn& turn);
  wire::Code remove_container(const Ask& ask, Turn& turn);
  wire::Code set_data(const Ask& ask, Turn& turn);
  wire::Code set_acl(const Ask& ask, Turn& turn);
  wire::Code check(const Ask& ask, Turn& turn);
  void record_remove(const Pending::Seen& parent, const Pending::Seen& node, const Turn& turn);

  // prepare_multi.cc
  wire::Code multi(Turn& turn, Prepared& prepared);
  size_t write_parts(Turn& turn, wire::Code& failure);

  // prepare_session.cc
  wire::Code create_session(Turn& turn);
  void close_session(Turn& turn);
  void collect_ephemerals(SessionId session);
  size_t ephemeral_bytes() const;  ///< Of their list in a txn.

  const tree::Tree& tree;
  session::SessionTable& sessions;
  const auth::Auth& auth;
  const ReplicaSettings& settings;
  Pending pending;

  // Scratch, kept for its memory.
  ByteBuffer acl;
  std::string sequential;
  std::vector<Ask> parts;
  std::vector<std::string> ephemerals;
};

}  // namespace quorate::replica

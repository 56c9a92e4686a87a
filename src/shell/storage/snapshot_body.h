#pragma once
#include <cstddef>
#include <cstdint>
#include <string>
#include <string_view>

#include "base/result.h"
#include "core/tree/acl_table.h"
#include "core/tree/loader.h"
#include "wire/stat.h"

/// The part that a snapshot file and a SNAP stream share: sessions, ACL lists, nodes, terminator; taken from bytes as
/// they come. Spec: disk 3.1, quorum 3.6.
namespace quorate::storage {

/// Where the pieces go. This one keeps nothing.
class SnapshotReceiver {
 public:
  virtual ~SnapshotReceiver() = default;
  virtual void session(SessionId, int32_t) {}
  /// `raw` is count and items. False: why() tells.
  virtual bool acl(tree::AclId, std::string_view) { return true; }
  virtual bool node(std::string_view, std::string_view, tree::AclId, const wire::StatPersisted&) { return true; }
  virtual std::string why() const { return {}; }
};

/// Into an empty tree.
class LoadingReceiver final : public SnapshotReceiver {
 public:
  LoadingReceiver(tree::Tree& tree, tree::SessionList& sessions) : loader_(tree, sessions) {}
  void session(SessionId id, int32_t timeout_ms) override { loader_.session(id, timeout_ms); }
  bool acl(tree::AclId id, std::string_view raw) override { return loader_.acl(id, raw); }
  bool node(std::string_view path, std::string_view data, tree::AclId acl, const wire::StatPersisted& stat) override {
    return loader_.node(path, data, acl, stat);
  }
  std::string why() const override { return loader_.why(); }
  bool finish(Zxid zxid) { return loader_.finish(zxid); }

 private:
  tree::TreeLoader loader_;
};

class SnapshotBody {
 public:
  /// No path, no data and no ACL list may be longer than `max_buffer_bytes`. `offset` is where the body starts, for
  /// error texts.
  SnapshotBody(size_t max_buffer_bytes, SnapshotReceiver& receiver, uint64_t offset = 0)
      : max_buffer_bytes_(max_buffer_bytes), receiver_(receiver), offset_(offset) {}

  /// Takes as many whole items as there are and says how many bytes they were; the rest is to come again, with more
  /// behind it. Stops behind the terminator. After an error it is of no use. Errors: Corrupt.
  Result<size_t> take(std::string_view bytes);
  /// take() can do nothing with fewer bytes than this.
  size_t wanted() const { return wanted_; }
  bool done() const { return phase_ == Phase::Done; }

  size_t sessions() const { return sessions_; }
  size_t acls() const { return acls_; }
  size_t nodes() const { return nodes_; }

 private:
  enum class Phase : uint8_t { SessionCount, Session, AclCount, Acl, Node, Done };

  std::unexpected<Error> bad(std::string_view what) const;
  void enter(Phase phase, int32_t items = 0);
  // Each takes one item from the front: its size, or 0 when there is too little; wanted_ then says what it takes.
  Result<size_t> item(std::string_view bytes);
  Result<size_t> count(std::string_view bytes, Phase next, size_t& total);
  Result<size_t> session(std::string_view bytes);
  Result<size_t> acl(std::string_view bytes);
  Result<size_t> node(std::string_view bytes);
  Result<bool> measure_acl(std::string_view bytes);
  Result<size_t> length_at(std::string_view bytes, size_t at) const;
  bool has(std::string_view bytes, size_t size) {
    wanted_ = size;
    return bytes.size() >= size;
  }

  size_t max_buffer_bytes_;
  SnapshotReceiver& receiver_;
  uint64_t offset_;
  Phase phase_ = Phase::SessionCount;
  size_t wanted_ = 4;
  int32_t left_ = 0;  ///< Sessions or ACL lists still to come.
  // How far the ACL list at the front has been measured, so that one in many pieces is not measured from its start
  // each time.
  int32_t parts_left_ = -1;
  size_t measured_ = 0;
  size_t sessions_ = 0;
  size_t acls_ = 0;
  size_t nodes_ = 0;
};

}  // namespace quorate::storage

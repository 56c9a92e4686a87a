#pragma once
#include <cstddef>
#include <cstdint>
#include <memory>
#include <optional>
#include <string>
#include <string_view>

#include "base/byte_buffer.h"
#include "base/result.h"
#include "core/tree/session_list.h"
#include "core/tree/snapshot_walk.h"
#include "core/tree/tree.h"
#include "shell/storage/snapshot_body.h"

/// A tree on its way from leader to learner: the bytes behind a SNAP packet, which are a snapshot file's body without
/// header and seals, and a signature. Spec: quorum 3.6, rules 25 and 38.
namespace quorate::storage {

/// The leader's side: the tree as of one zxid, in slices, while it goes on changing. Loop thread.
class SnapSender {
 public:
  /// One walk over a tree at a time, snapshots to disk included.
  SnapSender(tree::Tree& tree, const tree::SessionList& sessions);

  /// What the SNAP packet has to say.
  Zxid zxid() const { return walk_.zxid(); }
  /// Goes on by about `budget_bytes`. True when the next take() gives the last bytes, signature included.
  bool slice(size_t budget_bytes);
  /// What was produced since the last call.
  ByteBuffer take();

 private:
  tree::SnapshotWalk walk_;
  size_t header_left_;  ///< Of the file's header, which is not sent.
  bool walked_ = false;
  bool signed_ = false;
};

struct SnapLimits {
  size_t max_buffer_bytes = 2 * 1048575;   ///< Of a path, of data, of an ACL list: jute.maxbuffer + extra.
  uint64_t max_stream_bytes = UINT64_MAX;  ///< Of everything.
};

/// The learner's side: takes the stream in pieces of any size into a tree of its own. Memory beyond the tree: one item.
class SnapReceiver {
 public:
  SnapReceiver(SnapLimits limits, tree::HashKey key, tree::TreeOptions options);
  ~SnapReceiver();

  /// Takes what belongs to the stream and says how many bytes that were: all, unless the stream ends in this piece;
  /// the next packet begins behind it. Errors: Corrupt, with the offset in the stream; the same again from then on.
  Result<size_t> feed(std::string_view piece);
  bool done() const { return signed_; }

  struct Received {
    std::unique_ptr<tree::Tree> tree;
    tree::SessionList sessions;
  };
  /// The tree, as of the packet's zxid. Once. Requires: done(). Errors: Corrupt.
  Result<Received> finish(Zxid zxid);

  uint64_t bytes() const { return taken_; }  ///< Of the stream, so far.

 private:
  Result<size_t> absorb(std::string_view bytes);
  Result<size_t> check_signature(std::string_view bytes);
  std::unexpected<Error> refuse(std::string why);

  SnapLimits limits_;
  Received received_;
  LoadingReceiver loader_;
  SnapshotBody body_;
  ByteBuffer pending_;  ///< The begin of an item whose end has not come.
  uint64_t taken_ = 0;
  bool signed_ = false;
  std::optional<Error> failed_;
};

}  // namespace quorate::storage

#pragma once
#include <string>
#include <string_view>
#include <vector>

#include "core/tree/session_list.h"
#include "core/tree/tree.h"
#include "wire/txn.h"

/// Applies one txn to the tree and the session list: the only way either changes, live, in replay, in a sync. All
/// rules of disk 3.4; what replay over a fuzzy Apache snapshot needs is done always. Never fails on a decodable txn.
namespace quorate::tree {

/// A change that watches may wait for, in the order they are to fire. Spec: client 7.2.
struct Change {
  wire::Event event = wire::Event::Created;  ///< Created, Deleted or DataChanged; the parent's event follows from it.
  std::string_view path;                     ///< Into the txn's bytes, or into Applied::kept_paths.
  AclId acl = kOpenAcl;                      ///< The node's list at that moment (for Deleted: its last one).
  AclId parent_acl = kOpenAcl;               ///< The parent's list at that moment, for the parent's event.
};

/// What one part of a multi, or a whole other txn, came to.
struct PartResult {
  wire::Op op = wire::Op::Error;  ///< The logged type; Op::Error for a refused part.
  wire::Code code = wire::Code::Ok;
  std::string_view path = wire::kAbsent;  ///< Of the node; into the txn's bytes.
  wire::Stat stat = {};                   ///< After this part, for create*, setData, setACL.
};

/// Reused over calls; clear() keeps the memory.
struct Applied {
  std::vector<Change> changes;
  std::vector<PartResult> parts;  ///< One, or one for each part of a multi.
  std::vector<std::string> kept_paths;
  std::vector<AclId> retired_acls;  ///< Lists whose last user went; dropped by release_acls after watches fired.
  bool has_digest = false;
  bool digest_matches = true;  ///< False: our tree differs from the one that the txn's maker had.
  void clear();
};

/// A txn's payload cut into its pieces. Spec: disk 2.3.
struct TxnView {
  wire::TxnHeader header;
  std::string_view body;  ///< The record, without digest.
  wire::TxnDigest digest;
  bool has_digest = false;
  bool body_absent = false;  ///< closeSession of before 3.6.
};

/// False when the payload does not parse; `why` then names the reason in a few words.
bool parse_txn(std::string_view payload, TxnView& txn, std::string& why);

/// Changes tree and sessions as the txn says. The views in `out` live as long as the payload does.
void apply(Tree& tree, SessionList& sessions, const TxnView& txn, Applied& out);

/// Ends the grace of the lists named in out.retired_acls.
void release_acls(Tree& tree, Applied& out);

}  // namespace quorate::tree

#pragma once
#include <cstdint>
#include <memory>
#include <string_view>
#include <vector>

#include "base/byte_buffer.h"
#include "base/ids.h"
#include "core/auth/auth.h"
#include "core/replica/settings.h"
#include "core/session/session_table.h"
#include "core/tree/tree.h"
#include "wire/codes.h"

/// Turns a write request into the txn that will be logged, validated against the applied tree overlaid with every
/// prepared but unapplied change. A refused request becomes an error txn; both consume the zxid. The only place where
/// requests are judged. Spec: client 4, 5.4, 6, 9.2, 10.6, 11.3, 13; disk 2.3.
namespace quorate::replica {

/// Who asks. Only the server itself may close sessions of others, create sessions, or delete containers (HARDEN-3, 4).
enum class Origin : uint8_t { Client, Server };

struct WriteRequest {
  wire::Op op = wire::Op::Error;
  int32_t xid = 0;
  SessionId session;
  Origin origin = Origin::Client;
  auth::Holders who;                    ///< None: the server itself.
  std::string_view body;                ///< The request record, behind the header.
  wire::Code refused = wire::Code::Ok;  ///< Not to be judged any more: it becomes that error txn.
  bool of_local_session = false;        ///< Which its own server alone knows.
};

struct Prepared {
  wire::Code code = wire::Code::Ok;  ///< Of the error txn, when it is one.
  wire::Op txn_type = wire::Op::Error;
  /// Indexes of a multi's parts whose reply type is create2 although they are logged as create (DESIGN, section 2,
  /// "For 3.8 peers"). Empty otherwise.
  std::vector<uint16_t> create2_parts;
};

class Preparer {
 public:
  Preparer(const tree::Tree& tree, session::SessionTable& sessions, const auth::Auth& auth,
           const ReplicaSettings& settings);
  ~Preparer();

  /// Appends one framed txn record (wire/log_record.h) with that zxid to `batch`: header, body, digest (unless
  /// digest.enabled=false or a plain error txn). closeSession marks the session closing.
  Prepared prepare(const WriteRequest& request, Zxid zxid, Now now, ByteBuffer& batch);

  /// The txn was applied to the tree: pending changes that it made last are forgotten.
  void on_applied(Zxid zxid);

  /// Paths with a pending change; 0 when everything was applied.
  size_t pending_paths() const;
  uint64_t pending_digest() const;

 private:
  struct State;
  std::unique_ptr<State> state_;
};

/// Path rule of client 4.1 for writes.
bool valid_path(std::string_view path);

}  // namespace quorate::replica

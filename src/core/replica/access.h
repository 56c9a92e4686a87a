#pragma once
#include <cstdint>

#include "core/auth/auth.h"
#include "core/tree/tree.h"

namespace quorate::replica {

/// The permission check of a stored list, for reads and for the events of watches. Spec: client 7.4, 10.7.
struct Access {
  const tree::Tree& tree;
  const auth::Auth& auth;

  bool permits(tree::AclId acl, int32_t wanted, auth::Holders who) const {
    // A list that the tree does not know reads as one that grants nothing (known-faults R-W4).
    return acl == tree::kOpenAcl || auth.permits(tree.acls().list(acl), wanted, who);
  }
};

}  // namespace quorate::replica

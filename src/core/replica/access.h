#pragma once
#include <cstdint>

#include "core/auth/auth.h"
#include "core/tree/tree.h"

namespace quorate::replica {

/// The permission check of a stored list, for reads and for the events of watches. Spec: client 7.4, 10.7.
struct Access {
  const tree::Tree& tree;
  const auth::Auth& auth;

  bool permits(tree::AclId acl, int32_t wanted, const auth::Identities& who) const {
    if (acl == tree::kOpenAcl) return true;
    const std::string_view raw = tree.acls().raw(acl);
    // A node of a fuzzy snapshot may name a list that is not there: nobody may (known-faults R-W4).
    return !raw.empty() && auth.permits(wire::AclVector::trusted(raw), wanted, who);
  }
};

}  // namespace quorate::replica

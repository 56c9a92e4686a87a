#pragma once
#include <string_view>

#include "wire/txn.h"

/// The two forms of a create record as one. Spec: disk 2.3 rule 3.
namespace quorate::tree {

struct CreateFields {
  std::string_view path;
  std::string_view data;
  wire::AclVector acl;
  bool ephemeral = false;
  int32_t parent_c_version = 0;  ///< -1: one more than the parent has.
};

/// Only for type create; create2 has no older form.
bool decode_create(wire::Decoder& in, CreateFields& fields);

}  // namespace quorate::tree

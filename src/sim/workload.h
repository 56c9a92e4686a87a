#pragma once
#include <string>
#include <vector>

#include "sim/history.h"
#include "sim/rng.h"

/// Random requests over a few names, leaning towards nodes that exist, so that most succeed and every refusal comes up.
namespace quorate::sim {

class Workload {
 public:
  Workload(Rng& rng, const Model& model);

  /// Without xid, session, identity and time, which are the client's.
  Request next();

 private:
  Request write();
  Request read();
  Request watch_request();
  Request multi();
  Ask create();
  Ask quota_node(wire::Op op);
  Ask set_data();
  Ask remove();
  Ask set_acl();
  std::string some_path();
  std::string existing_path();
  std::string new_path();
  DataPtr some_data();
  AclPtr some_acl();
  int32_t some_version(int32_t current);

  Rng& rng_;
  const Model& model_;
  AclPtr open_, read_only_, mine_, empty_;
};

}  // namespace quorate::sim

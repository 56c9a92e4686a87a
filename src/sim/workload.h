#pragma once
#include <string>
#include <vector>

#include "sim/history.h"
#include "sim/rng.h"

/// Random requests over a few names, leaning towards nodes that exist, so that most succeed and every refusal comes up.
namespace quorate::sim {

class Workload {
 public:
  /// `longest_frame`: what the server takes. Few requests are longer.
  Workload(Rng& rng, const Model& model, int32_t longest_frame);

  /// Without xid, session, identity and time, which are the client's.
  Request next();

 private:
  Request write();
  Request read();
  Request watch_request();
  Request multi();
  Ask create();
  Request any();
  Ask quota_node(wire::Op op);
  Ask quota_step();
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
  size_t longest_frame_;
  AclPtr open_, read_only_, mine_, long_, empty_;
};

}  // namespace quorate::sim

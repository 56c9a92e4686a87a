#pragma once
#include <string>
#include <vector>

#include "sim/model.h"

/// What a write must come to, by the rules of the protocol over the naive model, which it changes. Spec: client 4, 6.
namespace quorate::sim {

struct Judged {
  wire::Code code = wire::Code::Ok;
  std::string body;  ///< Of the reply.
  std::vector<NodeChange> changes;
};

/// Where and when the txn happens.
struct Moment {
  int64_t zxid = 0;
  int64_t time = 0;
  int64_t session = 0;
  int64_t applied = 0;               ///< How far the server had come when it judged. Spec: client 11.3.
  std::vector<wire::Code> outcomes;  ///< What it came to, part by part: decides where the rules leave a choice.
};

class Judge {
 public:
  explicit Judge(Model& model) : model_(model) {}

  Judged request(const Request& request, const Moment& moment);
  Judged close_session(const Moment& moment);
  /// Of the server's own accord.
  Judged delete_container(const std::string& path, const Moment& moment);

 private:
  wire::Code write(const Ask& ask, const std::string& who);
  wire::Code create(const Ask& ask, const std::string& who);
  wire::Code check_mode(const Ask& ask) const;
  wire::Code set_data(const Ask& ask, const std::string& who);
  wire::Code set_acl(const Ask& ask, const std::string& who);
  wire::Code remove(const Ask& ask, const std::string& who);
  wire::Code check(const Ask& ask, const std::string& who);
  wire::Code check_quota(const std::string& path, int64_t nodes, int64_t bytes) const;
  bool too_long(size_t content_bytes, size_t parts = 1) const;
  bool came_to(wire::Code code) const;
  void begin(const Moment& moment);
  Judged multi(const Request& request);
  std::string failed_parts(size_t count, size_t failed, wire::Code code) const;
  int64_t owner_of(const Ask& ask) const;
  void remove_node(const std::string& path);
  void changed(wire::Event event, const std::string& path);
  std::string result_of(const Ask& ask) const;

  Model& model_;
  Moment moment_;
  size_t part_ = 0;
  size_t content_bytes_ = 0;  ///< Paths, data and lists of the txn so far.
  std::string made_path_;     ///< By the last create.
  std::vector<NodeChange> changes_;
};

/// The storable form of a list as a client of that identity asks for it; null: invalid. Spec: client 10.6.
AclPtr fixed_acl(const AclPtr& asked, const std::string& who);

}  // namespace quorate::sim

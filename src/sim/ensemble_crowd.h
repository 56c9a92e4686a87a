#pragma once
#include <memory>
#include <string>
#include <vector>

#include "sim/ensemble_contacts.h"
#include "sim/ensemble_world.h"

/// Very many clients on one host, each with a session and an ephemeral, who then say nothing more: too many to be
/// clients of the world. Nobody waits for their answers but for the first.
namespace quorate::sim {

class Crowd {
 public:
  explicit Crowd(EnsembleWorld& world);

  /// So many more come, each to one of the servers.
  void come(size_t count, int32_t timeout_ms);
  /// Those that have a session, and whose ephemeral was asked for.
  size_t present() const;
  /// All connections end.
  void go() { ends_.clear(); }

 private:
  struct End {
    SimStreamPtr stream;
    std::string heard;
    int64_t session = 0;
  };

  void connected(const std::shared_ptr<End>& end, SimStreamPtr stream, int32_t timeout_ms);
  void hear(End& end);
  void ask(End& end);

  EnsembleWorld& world_;
  HostId host_;
  std::vector<std::shared_ptr<End>> ends_;
};

}  // namespace quorate::sim

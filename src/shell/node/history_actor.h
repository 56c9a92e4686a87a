#pragma once
#include <map>
#include <memory>
#include <optional>
#include <set>
#include <string>
#include <vector>

#include "base/byte_buffer.h"
#include "base/ids.h"
#include "shell/env/disk.h"
#include "shell/node/actor.h"
#include "shell/storage/history_change.h"
#include "shell/storage/log_feed.h"

/// Reads the log for learners that are further behind than the memory reaches, a piece at a time, off the loop.
/// Spec: quorum 3.5 (case 5); known-faults R-D4.
namespace quorate::node {

class HistoryActor final : public Actor {
 public:
  HistoryActor(env::Disk& disk, storage::HistoryDirectories directories, size_t max_record_bytes);

  // Loop thread.
  struct Request {
    LinkId link;
    Zxid after;
    Zxid until;
    uint64_t most_bytes = 0;  ///< Of log to be read; more is refused, a tree is shorter.
  };
  /// The first piece is wanted at once.
  void ask(const Request& request);
  bool serves(LinkId link) const { return feeds_.contains(link); }
  /// The next piece is wanted, unless it is already.
  void go_on(LinkId link);
  void forget(LinkId link);
  void forget_all();

  bool has_work() const { return !busy_ && !wanted_.empty(); }
  bool busy() const { return busy_; }
  bool begin() override;
  struct Txn {
    Zxid zxid;
    size_t bytes = 0;
  };
  enum class End : uint8_t { None, Reached, Refused };
  struct Piece {
    LinkId link;
    std::vector<Txn> txns;  ///< Behind each other in `payloads`.
    ByteBuffer payloads;
    End end = End::None;
    std::string why;  ///< Of Refused.
  };
  /// Nothing: whoever asked has gone.
  std::optional<Piece> finish();

  // History thread.
  void perform() override;

 private:
  struct Feed {
    Request request;
    std::optional<storage::LogFeed> log;
  };
  bool open(Feed& feed);
  bool has_beginning() const;
  void refuse(std::string why);

  env::Disk& disk_;
  storage::HistoryDirectories directories_;
  size_t max_record_bytes_;
  std::map<LinkId, std::shared_ptr<Feed>> feeds_;
  std::set<LinkId> wanted_;
  bool busy_ = false;
  std::shared_ptr<Feed> current_;
  Piece piece_;
};

}  // namespace quorate::node

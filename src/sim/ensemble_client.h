#pragma once
#include <cstdint>
#include <deque>
#include <map>
#include <memory>
#include <optional>
#include <set>
#include <string>
#include <vector>

#include "sim/ensemble_asks.h"
#include "sim/ensemble_plan.h"
#include "sim/ensemble_record.h"
#include "sim/fabric.h"
#include "wire/client.h"

/// A client of the ensemble with the manners of real ones: a list of servers of which it uses one, its session carried
/// from connection to connection, watches restored in one burst with the connect request, pipelining, pings, and
/// patience that ends.
namespace quorate::sim {

struct EnsembleClientWorld {
  Agenda& agenda;
  Fabric& fabric;
  Rng& rng;
  Trace& trace;
  Verdict& verdict;
  EnsembleRecord& record;
  const EnsemblePlan& plan;
};

class EnsembleClient {
 public:
  EnsembleClient(EnsembleClientWorld world, uint32_t number, HostId host);

  /// Begins to act by itself.
  void start();

  // For scripts, whose clients are idle: these do what they are told, and answer pings only.
  void connect_to(uint32_t server);
  void send(Request request);
  /// What was sent since goes out.
  void flush();
  /// A client's socket closes, or is left behind without a word.
  void hang_up(bool politely);
  /// It takes servers that let clients read only.
  void accept_read_only() { reads_only_ = true; }
  EnsembleAsks& asks() { return asks_; }

  /// No more requests of its own, but one write that shows that all is well.
  void settle_down();
  bool settled() const { return proven_ && connected_ && awaited_.empty(); }
  /// Closes its session, or just goes.
  void leave();
  bool left() const { return gone_ && stream_ == nullptr; }

  uint32_t number() const { return number_; }
  bool connected() const { return connected_; }
  bool idle() const { return awaited_.empty(); }
  int64_t session() const { return session_; }
  uint32_t server() const { return server_; }
  /// Of the newest answer: its code; and how many there were.
  int32_t last_code() const { return last_code_; }
  uint64_t answers() const { return answers_; }
  uint64_t expiries() const { return expiries_; }
  uint64_t losses() const { return losses_; }

 private:
  struct Awaited {
    Request request;
    size_t place = 0;                                  ///< Among the history's requests; SIZE_MAX: it is none of them.
    std::optional<EnsembleRecord::SyncFloor> floor{};  ///< Of a sync.
  };
  struct Beliefs {
    std::set<std::string> data, exist, child;
    bool empty() const { return data.empty() && exist.empty() && child.empty(); }
  };

  // ensemble_client.cc: its connection, and what it does next.
  int64_t act();
  int64_t pause();
  void try_next_server();
  void dialed(SimStreamPtr stream);
  void send_connect();
  void restore_watches();
  void send_burst();
  void ping();
  void on_readable();
  void forget_connection();
  void forget_session();
  bool lost_patience() const;

  // ensemble_hearing.cc: what it hears.
  void on_frame(std::string_view frame);
  void on_connected(std::string_view frame);
  void on_event(const wire::ReplyHeader& header, std::string_view body);
  void on_answer(const Awaited& awaited, const wire::ReplyHeader& header, std::string_view body);
  void check_sync(const Awaited& awaited, int64_t zxid);
  void watch_left_behind(SimStreamPtr stream);
  void on_restored(const Request& request, const wire::ReplyHeader& header, uint64_t order);
  void take_read(const Request& request, int32_t err, wire::Decoder in, ClientRequest& fact);
  void take_watch(const Request& request, const wire::ReplyHeader& header, uint64_t order);
  void take_created(const Request& request, wire::Decoder in);
  void note_watch(const std::string& path, bool of_children, int64_t zxid, uint64_t order);

  EnsembleClientWorld world_;
  uint32_t number_;
  HostId host_;
  EnsembleAsks asks_;

  SimStreamPtr stream_;
  /// A connection that nobody uses any more, but what comes on it is looked at.
  struct LeftBehind {
    SimStreamPtr stream;
    std::string partial;
  };
  std::vector<std::shared_ptr<LeftBehind>> left_behind_;
  uint32_t dial_ = 0;  ///< Under way; 0: none.
  uint32_t server_ = 0;
  bool connected_ = false;
  bool reads_only_ = false;
  bool closing_ = false;  ///< closeSession is under way.
  bool settling_ = false;
  bool proven_ = false;
  bool proving_ = false;
  bool gone_ = false;

  int64_t session_ = 0;
  std::string password_;
  int32_t timeout_ms_;
  uint32_t connection_ = 0;  ///< Of the session.
  uint32_t last_server_ = 0;
  int64_t last_zxid_ = 0;
  int32_t next_xid_ = 1;
  int64_t last_sent_ = 0;
  int64_t last_heard_ = 0;
  std::string partial_;
  ByteBuffer out_;
  std::deque<Awaited> awaited_;
  Beliefs watches_;
  int64_t relative_zxid_ = 0;           ///< Of the watches being restored.
  std::set<std::string> told_created_;  ///< While they are.
  std::set<std::string> told_deleted_;
  bool restoring_ = false;

  int32_t last_code_ = 0;
  uint64_t answers_ = 0;
  uint64_t expiries_ = 0;
  uint64_t losses_ = 0;
};

}  // namespace quorate::sim

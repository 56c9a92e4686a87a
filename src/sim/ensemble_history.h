#pragma once
#include <cstdint>
#include <optional>
#include <string>
#include <vector>

/// What a run of several servers leaves behind for its judges (ensemble_checks.h): plain facts, written down where they
/// happened, by whoever saw them. Servers are their ids, connections and requests are counted per session from 1 on in
/// the order in which the client made them, and `order` is a place in the one order of all that clients heard: answers,
/// events and connections.
namespace quorate::sim {

/// A leader that has its quorum of acknowledgements for NEWLEADER.
struct Leadership {
  int64_t epoch = 0;
  uint32_t server = 0;
  std::vector<uint32_t> quorum{};  ///< Whose acknowledgements it counted, itself included.
  int64_t last_zxid = 0;           ///< Of its history when it began to broadcast.
  uint32_t voters = 0;             ///< In its configuration; 0: as many as the run has.
};

/// What a server has on its disk when a start has made its repairs.
struct EpochsOnDisk {
  uint32_t server = 0;
  int64_t accepted = 0;
  int64_t current = 0;
  int64_t last_zxid = 0;
};

/// A txn that a server applied knowing that it is committed; what a start takes from the log before its leader has
/// said so does not belong here. In the order in which each server did it.
struct Applied {
  uint32_t server = 0;
  int64_t zxid = 0;
  uint64_t digest = 0;  ///< Of all that must be equal then: the tree with its ACLs, and the sessions.
  bool whole = false;   ///< Not a step from the one before: a state taken over at once, from a snapshot or at a start.
};

struct Change {
  enum class What : uint8_t { Created, DataSet, Deleted, Other };
  What what = What::Created;
  std::string path;
  std::optional<std::string> value{};  ///< What a read shows, in the recorder's words. Nothing: the node is gone.
  int64_t owner = 0;                   ///< Of an ephemeral that is created.
  std::optional<int32_t> sequence{};   ///< The number in a sequential name that is created.
};

/// A txn of the one history, which is what any server applied. Without changes: an error's.
struct Committed {
  int64_t zxid = 0;
  int64_t session = 0;
  uint32_t request = 0;  ///< 0: nobody's.
  int64_t opens = 0;     ///< A session; 0: none.
  int64_t closes = 0;
  bool closes_all = false;  ///< Without a list of what goes with the session.
  std::vector<Change> changes{};
};

/// A part of a read's answer.
struct Seen {
  std::string path;
  std::optional<std::string> value{};                  ///< Nothing: no such node.
  std::optional<std::vector<std::string>> children{};  ///< Names in their order, where these were asked for instead.
};

struct ClientRequest {
  int64_t session = 0;
  uint32_t connection = 0;
  uint32_t number = 0;
  bool is_write = false;
  uint64_t order = 0;  ///< Of its answer; 0: none came.
  int64_t zxid = 0;    ///< In the answer's header.
  bool succeeded = false;
  std::vector<Seen> seen{};
};

/// A session has a connection: the answer to its connect request.
struct Attached {
  int64_t session = 0;
  uint32_t connection = 0;
  uint64_t order = 0;
  int64_t zxid = 0;   ///< The last that the leader had given out when it decided.
  int64_t epoch = 0;  ///< In which the server served that let it in; a leader that was replaced may not know it yet.
};

/// A one-shot watch that a server has taken.
struct WatchTaken {
  int64_t session = 0;
  uint32_t connection = 0;
  uint64_t order = 0;
  int64_t zxid = 0;  ///< What happens behind it is to be told: the answer's, or what a list of watches relates to.
  std::string path;
  bool of_children = false;
};

struct WatchTold {
  enum class What : uint8_t { Created, DataChanged, Deleted, ChildrenChanged };
  int64_t session = 0;
  uint32_t connection = 0;
  uint64_t order = 0;
  int64_t zxid = 0;  ///< Of the change; not positive where the server does not say.
  std::string path;
  What what = What::Created;
};

struct EnsembleHistory {
  uint32_t voters = 0;
  std::vector<Leadership> leaderships;
  std::vector<EpochsOnDisk> epochs;
  std::vector<Applied> applied;
  std::vector<Committed> committed;     ///< By zxid.
  std::vector<ClientRequest> requests;  ///< Per session in the order of their numbers.
  std::vector<Attached> attached;
  std::vector<WatchTaken> watches;
  std::vector<WatchTold> events;
};

}  // namespace quorate::sim

#include "shell/node/history_actor.h"

#include <fmt/format.h>

#include <algorithm>
#include <utility>

#include "base/check.h"

namespace quorate::node {
namespace {

// Small enough that several learners take turns, large enough that the hand-over does not count.
constexpr size_t kPieceBytes = 512 << 10;

}  // namespace

HistoryActor::HistoryActor(env::Disk& disk, storage::HistoryDirectories directories, size_t max_record_bytes)
    : disk_(disk), directories_(std::move(directories)), max_record_bytes_(max_record_bytes) {}

void HistoryActor::ask(const Request& request) {
  feeds_[request.link] = std::make_shared<Feed>(Feed{request, {}});
  wanted_.insert(request.link);
}

void HistoryActor::go_on(LinkId link) {
  const auto feed = feeds_.find(link);
  if (feed != feeds_.end() && !(busy_ && current_ == feed->second)) wanted_.insert(link);
}

void HistoryActor::forget(LinkId link) {
  feeds_.erase(link);
  wanted_.erase(link);
}

void HistoryActor::forget_all() {
  feeds_.clear();
  wanted_.clear();
}

bool HistoryActor::begin() {
  QUORATE_CHECK(!busy_);
  if (wanted_.empty()) return false;
  const LinkId link = *wanted_.begin();
  wanted_.erase(wanted_.begin());
  current_ = feeds_.at(link);
  piece_ = {};
  piece_.link = link;
  busy_ = true;
  return true;
}

void HistoryActor::perform() {
  Feed& feed = *current_;
  if (!feed.log && !open(feed)) return;
  while (piece_.payloads.size() < kPieceBytes) {
    const auto record = feed.log->next();
    if (!record) return refuse(record.error().detail);
    if (!*record) {
      piece_.end = End::Reached;
      return;
    }
    piece_.txns.push_back({(*record)->zxid, (*record)->payload.size()});
    piece_.payloads.append((*record)->payload);
  }
}

bool HistoryActor::open(Feed& feed) {
  const Request& request = feed.request;
  auto log = storage::LogFeed::open(disk_, directories_.logs, {request.after, request.until, max_record_bytes_});
  if (!log) {
    refuse(log.error().detail);
  } else if (request.after.value != 0 && log->anchor() != request.after) {
    refuse(fmt::format("the log does not hold 0x{:x}", static_cast<uint64_t>(request.after.value)));
  } else if (request.after.value == 0 && !has_beginning()) {
    refuse("the log does not begin with the first txn of all");
  } else if (log->bytes_behind_first_file() > request.most_bytes) {
    refuse(fmt::format("{} bytes of log are more than a snapshot", log->bytes_behind_first_file()));
  } else {
    feed.log.emplace(std::move(*log));
  }
  return feed.log.has_value();
}

/// A log that goes on behind a leader's tree begins like any other, and what is before it is nowhere. But the snapshot
/// of nothing at all is only there while all that came behind it is (known-faults 1.3, C1b).
bool HistoryActor::has_beginning() const {
  const auto listing = storage::list_directory(disk_, directories_.snapshots);
  return listing && std::ranges::any_of(listing->snapshots, [](const auto& file) { return file.zxid == Zxid{}; });
}

void HistoryActor::refuse(std::string why) {
  piece_.end = End::Refused;
  piece_.why = std::move(why);
}

std::optional<HistoryActor::Piece> HistoryActor::finish() {
  QUORATE_CHECK(busy_);
  busy_ = false;
  const auto feed = feeds_.find(piece_.link);
  const bool wanted = feed != feeds_.end() && feed->second == current_;
  current_.reset();
  if (!wanted) return std::nullopt;
  if (piece_.end != End::None) forget(piece_.link);
  return std::move(piece_);
}

}  // namespace quorate::node

#include "shell/storage/snap_transfer.h"

#include <fmt/format.h>

#include <algorithm>
#include <utility>

#include "base/check.h"
#include "wire/archive.h"

namespace quorate::storage {
namespace {

constexpr size_t kFileHeaderBytes = 16;
constexpr std::string_view kSignature{
    "\0\0\0\x0a"
    "BenWasHere",
    14};

}  // namespace

SnapSender::SnapSender(tree::Tree& tree, const tree::SessionList& sessions)
    : walk_(tree, sessions), header_left_(kFileHeaderBytes) {}

bool SnapSender::slice(size_t budget_bytes) {
  walked_ = walked_ || walk_.slice(budget_bytes);
  return walked_;
}

ByteBuffer SnapSender::take() {
  ByteBuffer bytes = walk_.take();
  bytes.drop_front(std::exchange(header_left_, 0));
  if (walked_ && !std::exchange(signed_, true)) bytes.append(kSignature);
  return bytes;
}

SnapReceiver::SnapReceiver(SnapLimits limits, tree::HashKey key, tree::TreeOptions options)
    : limits_(limits),
      received_{std::make_unique<tree::Tree>(key, options), {}},
      loader_(*received_.tree, received_.sessions),
      body_(limits.max_buffer_bytes, loader_) {}

SnapReceiver::~SnapReceiver() = default;

std::unexpected<Error> SnapReceiver::refuse(std::string why) {
  pending_.release();
  failed_ = Error{Fault::Corrupt, fmt::format("SNAP stream: {}", why)};
  return std::unexpected(*failed_);
}

Result<size_t> SnapReceiver::feed(std::string_view piece) {
  if (failed_) return std::unexpected(*failed_);
  if (signed_) return 0;
  const size_t had = pending_.size();
  if (had == 0) {
    auto used = absorb(piece);
    if (!used) return used;
    if (!signed_) pending_.append(piece.substr(*used));
    return signed_ ? *used : piece.size();
  }
  pending_.append(piece);
  auto used = absorb(pending_.view());
  if (!used) return used;
  pending_.drop_front(*used);
  if (!signed_) return piece.size();
  pending_.release();
  return *used - had;
}

/// Whole items from the front.
Result<size_t> SnapReceiver::absorb(std::string_view bytes) {
  auto used = body_.take(bytes);
  if (!used) return refuse(used.error().detail);
  taken_ += *used;
  if (body_.done()) {
    auto checked = check_signature(bytes.substr(*used));
    if (!checked) return checked;
    *used += *checked;
  }
  const size_t begun = signed_ ? 0 : bytes.size() - *used;
  if (taken_ + begun > limits_.max_stream_bytes) {
    return refuse(fmt::format("longer than {} bytes", limits_.max_stream_bytes));
  }
  return used;
}

Result<size_t> SnapReceiver::check_signature(std::string_view bytes) {
  const std::string_view there = bytes.substr(0, kSignature.size());
  if (there != kSignature.substr(0, there.size())) {
    return refuse(fmt::format("the signature at offset {} is {:?}, not BenWasHere", taken_, there));
  }
  if (there.size() < kSignature.size()) return 0;
  signed_ = true;
  taken_ += kSignature.size();
  return kSignature.size();
}

Result<SnapReceiver::Received> SnapReceiver::finish(Zxid zxid) {
  if (failed_) return std::unexpected(*failed_);
  QUORATE_CHECK(signed_ && received_.tree != nullptr);
  if (!loader_.finish(zxid)) return refuse(loader_.why());
  return std::move(received_);
}

}  // namespace quorate::storage

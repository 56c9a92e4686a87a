#include "core/zab/discover.h"

#include <algorithm>
#include <tuple>

#include "base/check.h"
#include "base/planted.h"

namespace quorate::zab {

Discover::Discover(const Electorate& electorate, VoterSet self, Epochs own, Zxid last)
    : electorate_(electorate),
      own_(own),
      last_(last),
      epoch_(std::min(own.accepted + 1, kMaxEpoch)),
      connecting_(self),
      electing_(self) {}

void Discover::on_accepted(VoterSet who, int64_t accepted) {
  if (epoch_settled()) return;
  QUORATE_CHECK(accepted < kMaxEpoch);
  epoch_ = std::max(epoch_, accepted + 1);
  connecting_ |= who;
}

bool Discover::is_ahead(int64_t current, Zxid last) const {
  if (planted(Planted::LeadsThoseAhead)) return false;
  if (elected()) return current >= epoch_;
  return std::tie(current, last) > std::tie(own_.current, last_);
}

void Discover::on_promised(VoterSet who, int64_t current, Zxid last) {
  if (current != -1 && last != Zxid{-1}) electing_ |= who;
}

}  // namespace quorate::zab

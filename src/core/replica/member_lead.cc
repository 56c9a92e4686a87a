#include <algorithm>
#include <utility>

#include "core/replica/member.h"
#include "core/replica/member_outputs.h"

/// A member's learners, while it leads. Spec: quorum 3.5, 3.8 to 3.10.
namespace quorate::replica {

void Member::on_learner(LinkId link) {
  if (!listening()) {
    output_.closes.push_back(link);
    return;
  }
  lead_->on_learner(link, now_.monotonic);
  after_lead();
}

void Member::on_learner_packet(LinkId link, const wire::QuorumPacket& packet) {
  if (!lead_) return;
  lead_->on_packet(link, packet, now_.monotonic);
  after_lead();
}

void Member::on_learner_lost(LinkId link) {
  if (!lead_) return;
  lead_->on_closed(link);
  after_lead();
}

void Member::on_history(LinkId link, Zxid zxid, std::string_view payload) {
  if (!lead_) return;
  lead_->on_history(link, zxid, payload, now_.monotonic);
  after_lead();
}

void Member::on_history_end(LinkId link) {
  if (!lead_) return;
  lead_->on_history_end(link, now_.monotonic);
  after_lead();
}

void Member::on_no_history(LinkId link) {
  if (!lead_) return;
  lead_->on_no_history(link, now_.monotonic);
  after_lead();
}

void Member::on_tree_progress(LinkId link) {
  if (lead_) lead_->on_tree_progress(link, now_.monotonic);
}

void Member::on_tree_sent(LinkId link) {
  if (!lead_) return;
  lead_->on_tree_sent(link, now_.monotonic);
  after_lead();
}

void Member::after_lead() {
  if (!lead_) return;
  // Trees are sent as they were when they were promised: that comes before anything more is applied.
  take_items(std::exchange(lead_->out().trees, {}), output_.trees);
  zab::LeadOutput& out = lead_->out();
  if (std::exchange(out.established, false)) {
    elect_.set_peer_epoch(lead_->epoch());
    replica_->begin_serving();
  }
  for (const wire::SessionTimeout& session : std::exchange(out.touched, {})) replica_->on_touched(session);
  for (const auto& asked : std::exchange(out.revalidations, {})) replica_->on_revalidate(asked.link, asked.session);
  for (const zab::Forwarded& request : std::exchange(out.requests, {})) replica_->on_forwarded(request);
  if (output_.trees.empty()) replica_->apply_ready();
  for (const LinkId link : out.dirty) {
    if (std::ranges::find(output_.dirty, link) == output_.dirty.end()) output_.dirty.push_back(link);
  }
  take_items(out.closes, output_.closes);
  take_items(out.histories, output_.histories);
  take_lines(out.lines, output_.lines);
  out.clear();
  if (lead_->phase() == zab::LeadPhase::Over) end_role();
}

}  // namespace quorate::replica

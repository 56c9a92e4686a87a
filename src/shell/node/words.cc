#include "shell/admin/words.h"

#include <optional>

#include "shell/node/node.h"

/// Four-letter words over this node: the texts are the admin room's, the effects are carried out here.
/// Spec: operations 2.
namespace quorate::node {

std::string Node::word_answer(Client& client, std::string_view word) {
  const admin::Word* known = admin::find_word(word);
  lines_.push_back({Level::Debug, "NIOServerCnxn",
                    "Processing " + std::string(known->name) + " command from " + client.connection->remote_text});
  admin::ServerView seen = view(client, known->reads_surroundings);
  std::optional<admin::MemberView> as_member;
  if (ensemble_) as_member = ensemble_->view();
  if (as_member) seen.member = &*as_member;
  const admin::Answer answer = admin::answer_word(word, seen);
  carry_out(answer);
  return answer.text;
}

admin::ServerView Node::view(const Client& client, bool with_surroundings) const {
  admin::ServerView view{.tree = replica().tree(),
                         .sessions = replica().session_table(),
                         .session_list = replica().sessions(),
                         .local_sessions = replica().local_sessions(),
                         .watches = replica().watches(),
                         .stats = replica().stats(),
                         .metrics = metrics_,
                         .conf = settings_.conf,
                         .rules = settings_.words,
                         .version = settings_.version,
                         .connections = replica().connections(),
                         .asking = client.connection,
                         .now = now(),
                         .started = started_,
                         .outstanding_requests = static_cast<int64_t>(replica().requests_in_process()),
                         .sync_warnings = sync_warnings_,
                         .drop_probability = replica().connection_drop_probability(),
                         .trace_mask = trace_mask_,
                         .digests = {replica().digest_history().begin(), replica().digest_history().end()},
                         .around = {}};
  if (ensemble_) view.mode = ensemble_->mode();
  view.serving = replica().serving() || replica().reading_only();
  if (with_surroundings && surroundings_) view.around = surroundings_();
  return view;
}

void Node::carry_out(const admin::Answer& answer) {
  switch (answer.effect) {
    case admin::Effect::None:
      return;
    case admin::Effect::ResetConnections:
      for (replica::Connection* connection : replica().connections()) admin::reset_stats(*connection);
      return;
    case admin::Effect::ResetServer:
      replica().stats() = {};
      metrics_.reset();
      return;
    case admin::Effect::SetTraceMask:
      trace_mask_ = answer.trace_mask;
      return;
  }
}

}  // namespace quorate::node

#include "shell/admin/words.h"

#include "shell/node/node.h"

/// Four-letter words over this node: the texts are the admin room's, the effects are carried out here.
/// Spec: operations 2.
namespace quorate::node {

std::string Node::word_answer(Client& client, std::string_view word) {
  const admin::Word* known = admin::find_word(word);
  lines_.push_back({Level::Debug, "NIOServerCnxn",
                    "Processing " + std::string(known->name) + " command from " + client.connection->remote_text});
  const admin::Answer answer = admin::answer_word(word, view(client, known->reads_surroundings));
  carry_out(answer);
  return answer.text;
}

admin::ServerView Node::view(const Client& client, bool with_surroundings) const {
  admin::ServerView view{.tree = replica_->tree(),
                         .sessions = replica_->session_table(),
                         .watches = replica_->watches(),
                         .stats = replica_->stats(),
                         .metrics = metrics_,
                         .conf = settings_.conf,
                         .rules = settings_.words,
                         .version = settings_.version,
                         .connections = replica_->connections(),
                         .asking = client.connection,
                         .now = now(),
                         .started = started_,
                         .outstanding_requests = static_cast<int64_t>(replica_->requests_in_process()),
                         .sync_warnings = sync_warnings_,
                         .drop_probability = replica_->connection_drop_probability(),
                         .trace_mask = trace_mask_,
                         .digests = {replica_->digest_history().begin(), replica_->digest_history().end()},
                         .around = {}};
  if (with_surroundings && surroundings_) view.around = surroundings_();
  return view;
}

void Node::carry_out(const admin::Answer& answer) {
  switch (answer.effect) {
    case admin::Effect::None:
      return;
    case admin::Effect::ResetConnections:
      for (replica::Connection* connection : replica_->connections()) admin::reset_stats(*connection);
      return;
    case admin::Effect::ResetServer:
      replica_->stats() = {};
      metrics_.reset();
      return;
    case admin::Effect::SetTraceMask:
      trace_mask_ = answer.trace_mask;
      return;
  }
}

}  // namespace quorate::node

#pragma once
#include "shell/config/settings.h"
#include "shell/node/settings.h"

namespace quorate::server {

/// The node's settings as the configuration says. `hash_key` is drawn by the caller.
node::NodeSettings node_settings(const config::Settings& settings, tree::HashKey hash_key);

}  // namespace quorate::server

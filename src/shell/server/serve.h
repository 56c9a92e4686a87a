#pragma once
#include "shell/config/load.h"

/// Runs a server, of its own or a member of an ensemble, until it is told to stop: real disk, sockets and threads
/// around one node::Node.
namespace quorate::server {

/// Returns the process's exit code. Spec: operations 1.1, "Exit codes".
int serve(const config::LoadOutcome& loaded);

}  // namespace quorate::server

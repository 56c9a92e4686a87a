#pragma once
#include "shell/admin/server_view.h"
#include "shell/node/settings.h"

namespace quorate::server {

/// Asks the machine for what envi, dirs and mntr show: host, user, memory, open files, sizes of the directories.
admin::Surroundings read_surroundings(const node::NodeSettings& settings);

}  // namespace quorate::server

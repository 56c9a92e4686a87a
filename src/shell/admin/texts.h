#pragma once
#include <string>

#include "shell/admin/server_view.h"

/// The texts of the words, one function each. Inside this room. Spec: operations 2.4.
namespace quorate::admin {

std::string srvr_text(const ServerView& view);
std::string stat_text(const ServerView& view);
std::string cons_text(const ServerView& view);
std::string dump_text(const ServerView& view);
std::string wchs_text(const ServerView& view);
std::string wchc_text(const ServerView& view);
std::string wchp_text(const ServerView& view);
std::string conf_text(const ServerView& view);
std::string dirs_text(const ServerView& view);
std::string envi_text(const ServerView& view);
std::string mntr_text(const ServerView& view);
std::string hash_text(const ServerView& view);
/// Part of mntr: quotas by namespace.
std::string quota_gauges(const ServerView& view);

/// Part of mntr: what a member found out about its own history. The names are ours, not Apache's.
std::string self_check_text(const MemberView& member);

const char* mode_name(Mode mode);
/// " /127.0.0.1:39328[1](queued=0,recved=23,sent=24" without the closing bracket.
std::string connection_text(const replica::Connection& connection, const ServerView& view);

}  // namespace quorate::admin

#include <fmt/format.h>

#include "shell/admin/texts.h"

namespace quorate::admin {
namespace {

/// "3888", or "3888|3889" of a member with two addresses.
std::string ports(const wire::QuorumMember* me, int32_t wire::PeerAddress::* port) {
  std::string text;
  if (me == nullptr) return "-1";
  for (const wire::PeerAddress& address : me->addresses) {
    if (!text.empty()) text += "|";
    text += std::to_string(address.*port);
  }
  return text;
}

/// The last line has no end, as in Apache. A read-only server is outside of any quorum and leaves the members out.
std::string member_conf(const ServerView& view) {
  const MemberView& member = *view.member;
  const wire::QuorumMember* me = member.config.find(view.conf.server_id);
  std::string text =
      fmt::format("initLimit={}\nsyncLimit={}\nelectionAlg=3\nelectionPort={}\nquorumPort={}\npeerType={}\n",
                  member.init_limit, member.sync_limit, ports(me, &wire::PeerAddress::election_port),
                  ports(me, &wire::PeerAddress::quorum_port), member.role == wire::Role::Observer ? 1 : 0);
  if (view.mode != Mode::ReadOnly) text += "membership: \n" + wire::to_text(member.config);
  return text;
}

}  // namespace

std::string conf_text(const ServerView& view) {
  const ConfView& conf = view.conf;
  std::string text = fmt::format(
      "clientPort={}\nsecureClientPort={}\ndataDir={}\ndataDirSize={}\ndataLogDir={}\ndataLogSize={}\ntickTime={}\n"
      "maxClientCnxns={}\nminSessionTimeout={}\nmaxSessionTimeout={}\nclientPortListenBacklog={}\nserverId={}\n",
      conf.client_port, conf.secure_client_port, conf.data_directory, view.around.data_directory_bytes,
      conf.log_directory, view.around.log_directory_bytes, conf.tick_ms, conf.max_client_connections,
      conf.timeouts.min_ms, conf.timeouts.max_ms, conf.backlog, conf.server_id);
  if (view.member != nullptr) text += member_conf(view);
  return text;
}

std::string dirs_text(const ServerView& view) {
  return fmt::format("datadir_size: {}\nlogdir_size: {}\n", view.around.data_directory_bytes,
                     view.around.log_directory_bytes);
}

std::string envi_text(const ServerView& view) {
  constexpr const char* kNone = "<NA>";
  const Surroundings& around = view.around;
  const std::pair<const char*, std::string> lines[] = {
      {"zookeeper.version", view.version.compatible},
      {"host.name", around.host_name},
      {"java.version", kNone},
      {"java.vendor", kNone},
      {"java.home", kNone},
      {"java.class.path", kNone},
      {"java.library.path", kNone},
      {"java.io.tmpdir", kNone},
      {"java.compiler", kNone},
      {"os.name", around.os_name},
      {"os.arch", around.os_arch},
      {"os.version", around.os_version},
      {"user.name", around.user_name},
      {"user.home", around.user_home},
      {"user.dir", around.user_directory},
      {"os.memory.free", fmt::format("{}MB", around.memory_free_mb)},
      {"os.memory.max", fmt::format("{}MB", around.memory_most_mb)},
      {"os.memory.total", fmt::format("{}MB", around.memory_total_mb)},
      {"quorate.version", view.version.product},
  };
  std::string text = "Environment:\n";
  for (const auto& [name, value] : lines) text += fmt::format("{}={}\n", name, value);
  return text;
}

std::string hash_text(const ServerView& view) {
  std::string text;
  for (const auto& [zxid, digest] : view.digests) {
    text += fmt::format("{:x}: {}\n", static_cast<uint64_t>(zxid.value), digest);
  }
  return text;
}

}  // namespace quorate::admin

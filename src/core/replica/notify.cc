#include "core/replica/reads.h"
#include "core/replica/reply.h"
#include "wire/record.h"

namespace quorate::replica {

void notify(Connection& connection, wire::Event event, std::string_view path, Zxid zxid) {
  if (connection.phase == Phase::Closed) return;
  ReplyFrame frame(connection.out, wire::kNotificationXid, zxid, wire::Code::Ok);
  wire::Encoder body = frame.body();
  wire::encode(body, wire::WatcherEvent{static_cast<int32_t>(event), wire::kSyncConnected, path});
  frame.close();
}

}  // namespace quorate::replica

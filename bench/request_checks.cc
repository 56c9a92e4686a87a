// request_checks: what each request pays before it is looked at: the touch of its session, and the check of a list.
//   request_checks [sessions = 100000]
#include <cstdlib>
#include <string>
#include <vector>

#include "core/auth/auth.h"
#include "core/session/session_table.h"
#include "measure.h"

namespace {

using namespace quorate;
using bench::Timer;

constexpr Millis kTick{2000};
constexpr int32_t kTimeout = 30000;

void touch(session::SessionTable& sessions, size_t count, const char* what, Millis now) {
  const Timer timer(what, count);
  uint64_t state = 88172645463325252ULL;
  for (size_t i = 0; i < count; ++i) {
    state ^= state << 13, state ^= state >> 7, state ^= state << 17;
    const SessionId id{static_cast<int64_t>(0x0100000b28ae0000ULL + state % count)};
    if (sessions.touch(id, kTimeout, now) != session::Touch::Ok) std::abort();
  }
}

void sessions(size_t count) {
  session::SessionTable table(kTick);
  {
    const Timer timer("add a session", count);
    for (size_t i = 0; i < count; ++i) {
      table.add(SessionId{static_cast<int64_t>(0x0100000b28ae0000ULL + i)}, kTimeout, Millis{0});
    }
  }
  touch(table, count, "touch, random, same bucket", Millis{1999});
  touch(table, count, "touch, random, most to a new bucket", Millis{2001});
  touch(table, count, "touch, random, two thirds are there already", Millis{2999});
  const Timer timer("expire", count);
  if (table.expire(Millis{100000}).size() != count) std::abort();
}

void append_item(ByteBuffer& out, int32_t perms, std::string_view scheme, std::string_view id) {
  wire::Encoder encoder(out);
  encoder.i32(perms);
  encoder.view(scheme);
  encoder.view(id);
}

void check(const auth::Auth& auth, const char* what, const wire::AclVector& list) {
  const auth::Identities who = {{"ip", "10.1.2.3"}, {"digest", "bob:ikIaKsbtGweaHnb/jKn7OHqbunM="}};
  constexpr size_t kCount = 10000000;
  const Timer timer(what, kCount);
  for (size_t i = 0; i < kCount; ++i) {
    if (!auth.permits(list, static_cast<int32_t>(1 + i % 2), who)) std::abort();
  }
}

void lists() {
  const auth::Auth auth = *auth::Auth::make({});
  ByteBuffer open, digest, ip;
  for (ByteBuffer* out : {&open, &digest, &ip}) wire::Encoder(*out).i32(1);
  append_item(open, wire::kPermAll, "world", "anyone");
  append_item(digest, wire::kPermAll, "digest", "bob:ikIaKsbtGweaHnb/jKn7OHqbunM=");
  append_item(ip, wire::kPermAll, "ip", "10.1.0.0/16");
  check(auth, "permits, open list", wire::AclVector::trusted(open.view()));
  check(auth, "permits, one digest", wire::AclVector::trusted(digest.view()));
  check(auth, "permits, one ip prefix", wire::AclVector::trusted(ip.view()));
}

}  // namespace

int main(int argc, char** argv) {
  sessions(argc > 1 ? std::strtoull(argv[1], nullptr, 10) : 100000);
  lists();
  return 0;
}

#pragma once
#include <gtest/gtest.h>

#include <deque>
#include <initializer_list>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "core/replica/prepare.h"
#include "core/tree/apply.h"
#include "wire/log_record.h"

/// What the tests of the preparer share: request records from their fields, and a tree with a preparer over it whose
/// txns are applied when the test says so.
namespace quorate::replica::prepare_testing {

inline const std::string kOpen("\0\0\0\1\0\0\0\x1f\0\0\0\5world\0\0\0\6anyone", 27);
inline const std::string kNoAcl("\xff\xff\xff\xff", 4);
inline const std::string kEmptyAcl("\0\0\0\0", 4);
constexpr SessionId kAlice{0x100000000000001};
constexpr SessionId kBob{0x100000000000002};
constexpr int64_t kWallMs = 1795159393679;

/// Runs `write` on an encoder and returns the bytes.
template <class Write>
std::string bytes_of(Write&& write) {
  ByteBuffer buffer;
  wire::Encoder out(buffer);
  write(out);
  return std::string(buffer.view());
}

inline std::string acl(int32_t perms, std::string_view scheme, std::string_view id) {
  return bytes_of([&](wire::Encoder& out) {
    out.i32(1);
    out.i32(perms);
    out.view(scheme);
    out.view(id);
  });
}

struct CreateFields {
  std::string_view path;
  std::string_view data = "d";
  std::string acl = kOpen;
  int32_t flags = 0;
};

inline std::string create(const CreateFields& fields) {
  return bytes_of([&](wire::Encoder& out) {
    out.view(fields.path);
    out.view(fields.data);
    out.raw(fields.acl);
    out.i32(fields.flags);
  });
}

inline std::string create(std::string_view path, int32_t flags = 0) {
  return create(CreateFields{.path = path, .flags = flags});
}

inline std::string create_ttl(std::string_view path, int32_t flags, int64_t ttl) {
  return create(path, flags) + bytes_of([&](wire::Encoder& out) { out.i64(ttl); });
}

/// delete and check.
inline std::string path_version(std::string_view path, int32_t version = -1) {
  return bytes_of([&](wire::Encoder& out) {
    out.view(path);
    out.i32(version);
  });
}

inline std::string path_only(std::string_view path) {
  return bytes_of([&](wire::Encoder& out) { out.view(path); });
}

inline std::string set_data(std::string_view path, std::string_view data, int32_t version = -1) {
  return bytes_of([&](wire::Encoder& out) {
    out.view(path);
    out.view(data);
    out.i32(version);
  });
}

inline std::string set_acl(std::string_view path, const std::string& list, int32_t version = -1) {
  return bytes_of([&](wire::Encoder& out) {
    out.view(path);
    out.raw(list);
    out.i32(version);
  });
}

using Part = std::pair<wire::Op, std::string>;

inline std::string multi(const std::vector<Part>& parts) {
  return bytes_of([&](wire::Encoder& out) {
    const auto header = [&out](wire::Op op, bool done) {
      out.i32(static_cast<int32_t>(op));
      out.boolean(done);
      out.i32(-1);
    };
    for (const auto& [op, body] : parts) {
      header(op, false);
      out.raw(body);
    }
    header(wire::Op::Error, true);
  });
}

/// One prepared txn.
struct Made {
  Zxid zxid;
  Prepared prepared;
  std::string payload;

  wire::TxnHeader header() const {
    wire::TxnHeader header;
    wire::Decoder in(payload);
    wire::decode(in, header);
    return header;
  }
  std::string body() const { return payload.substr(32); }
};

/// The defaults, but for what `edit` says.
template <class Edit>
ReplicaSettings with(Edit&& edit) {
  ReplicaSettings settings;
  edit(settings);
  return settings;
}

inline tree::TreeOptions options_of(const ReplicaSettings& settings) {
  return {settings.extended_types, settings.emulate_353_ttl};
}

class World {
 public:
  explicit World(ReplicaSettings start_with = {}, auth::AuthSettings auth_settings = {})
      : settings(start_with),
        tree(tree::HashKey{1, 2}, options_of(start_with)),
        table(Millis{3000}),
        auth(*auth::Auth::make(std::move(auth_settings))),
        preparer(tree, table, auth, settings) {
    table.add(kAlice, 30000, now.monotonic);
    table.add(kBob, 30000, now.monotonic);
  }

  struct Asker {
    SessionId session = kAlice;
    const auth::Identities* who = nullptr;
    Origin origin = Origin::Client;
    int32_t xid = 7;
  };

  /// Prepares; the txn waits for apply().
  const Made& ask(wire::Op op, std::string_view body, Asker asker = {kAlice, nullptr, Origin::Client, 7}) {
    const WriteRequest request{
        op,  asker.xid, asker.session, asker.origin, asker.who != nullptr ? auth::Holders(*asker.who) : auth::Holders(),
        body};
    ByteBuffer batch;
    Made made;
    made.zxid = zxid = zxid.next();
    made.prepared = preparer.prepare(request, zxid, now, batch);
    size_t offset = 0;
    made.payload = std::string(wire::next_payload(batch.view(), offset));
    EXPECT_EQ(offset, batch.size());
    in_flight.push_back(std::move(made));
    return in_flight.back();
  }

  wire::Code code(wire::Op op, std::string_view body, Asker asker = {kAlice, nullptr, Origin::Client, 7}) {
    return ask(op, body, asker).prepared.code;
  }

  /// Applies the oldest `count` txns and expects each one's digest to be the tree's.
  void apply(size_t count = SIZE_MAX) {
    for (; count > 0 && !in_flight.empty(); --count) {
      const Made made = std::move(in_flight.front());
      in_flight.pop_front();
      tree::TxnView txn;
      std::string why;
      ASSERT_TRUE(tree::parse_txn(made.payload, txn, why)) << why;
      applied.clear();
      tree::apply(tree, sessions, txn, applied);
      preparer.on_applied(made.zxid);
      EXPECT_TRUE(applied.digest_matches) << "zxid " << made.zxid.value;
      release_acls(tree, applied);
    }
  }

  /// Prepares, expects success, applies.
  void must(wire::Op op, std::string_view body, Asker asker = {kAlice, nullptr, Origin::Client, 7}) {
    EXPECT_EQ(code(op, body, asker), wire::Code::Ok);
    apply();
  }

  ReplicaSettings settings;
  tree::Tree tree;
  tree::SessionList sessions;
  session::SessionTable table;
  auth::Auth auth;
  Preparer preparer;
  Now now{Millis{1000}, kWallMs};
  Zxid zxid;
  std::deque<Made> in_flight;
  tree::Applied applied;
};

}  // namespace quorate::replica::prepare_testing

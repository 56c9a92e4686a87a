#pragma once
#include <iterator>
#include <string>
#include <string_view>

#include "base/byte_buffer.h"
#include "input.h"
#include "wire/archive.h"
#include "wire/codes.h"

/// Makes a fuzzer's bytes into requests that a server mostly accepts: few paths, texts and lists, so that they meet.
namespace quorate::fuzz {

class RequestMaker {
 public:
  explicit RequestMaker(Input& input) : input_(input) {}

  /// A whole frame.
  std::string request(int32_t xid) {
    const wire::Op op = kOps[input_.byte() % std::size(kOps)];
    ByteBuffer bytes;
    wire::Encoder out(bytes);
    out.i32(0);
    out.i32(op == wire::Op::Ping ? wire::kPingXid : op == wire::Op::Auth ? -4 : xid);
    out.i32(static_cast<int32_t>(op));
    body(out, op);
    wire::store_be32(bytes.data(), static_cast<uint32_t>(bytes.size() - 4));
    return std::string(bytes.view());
  }

 private:
  using Op = wire::Op;
  static constexpr Op kOps[] = {Op::Create,
                                Op::Create,
                                Op::Create2,
                                Op::Create2,
                                Op::CreateContainer,
                                Op::CreateTtl,
                                Op::Delete,
                                Op::SetData,
                                Op::SetAcl,
                                Op::Multi,
                                Op::Multi,
                                Op::GetData,
                                Op::Exists,
                                Op::GetChildren,
                                Op::GetAcl,
                                Op::GetChildren2,
                                Op::Sync,
                                Op::Ping,
                                Op::MultiRead,
                                Op::SetWatches,
                                Op::AddWatch,
                                Op::SetWatches2,
                                Op::CheckWatches,
                                Op::Auth,
                                Op::RemoveWatches,
                                Op::GetEphemerals,
                                Op::WhoAmI,
                                Op::Reconfig,
                                Op::GetAllChildrenNumber,
                                Op::CloseSession,
                                Op::Check,
                                Op::CreateSession,
                                Op::DeleteContainer};
  static constexpr Op kParts[] = {Op::Create, Op::Create2, Op::CreateContainer, Op::CreateTtl,
                                  Op::Delete, Op::Check,   Op::SetData,         Op::SetData,
                                  Op::Delete, Op::Create,  Op::GetData,         Op::GetChildren};
  static constexpr std::string_view kPaths[] = {"/a",
                                                "/a/b",
                                                "/a/b/c",
                                                "/b",
                                                "/q",
                                                "/q/x",
                                                "/q/x/y",
                                                "/a/s-",
                                                "/s",
                                                "/",
                                                "/zookeeper",
                                                "/zookeeper/config",
                                                "/zookeeper/quota",
                                                "/zookeeper/quota/q",
                                                "/zookeeper/quota/q/zookeeper_limits",
                                                "/zookeeper/quota/q/zookeeper_stats",
                                                "/a/",
                                                "a",
                                                "",
                                                "/a/../b",
                                                std::string_view("/a\0b", 4),
                                                "/\xed\xa0\x80",
                                                "/\xc3\xbc",
                                                "/zookeeper/quota/a/zookeeper_limits",
                                                "/zookeeper/quota/a",
                                                wire::kAbsent};
  static constexpr std::string_view kTexts[] = {"",
                                                "x",
                                                wire::kAbsent,
                                                "count=2,bytes=20",
                                                "count=-1,bytes=-1",
                                                "count=1,bytes=5;byteHardLimit=8;countHardLimit=2",
                                                "0123456789"};
  static constexpr std::string_view kSchemes[] = {"world", "digest", "auth", "ip", "super", "x509", "", "none"};
  static constexpr std::string_view kIds[] = {
      "anyone", "super:super", "u:p", "u:aRzsxa2zpcWVpb0UTCNYmfGk1KE=", "10.1.2.3", "10.0.0.0/8", "", "u"};
  static constexpr int32_t kVersions[] = {-1, 0, 1, 2, -1, INT32_MAX, INT32_MIN, -2};

  template <size_t n>
  std::string_view pick(const std::string_view (&from)[n]) {
    return from[input_.byte() % n];
  }
  /// Mostly one of the first eight.
  void path(wire::Encoder& out) {
    const uint8_t choice = input_.byte();
    out.view(choice < 192 ? kPaths[choice % 8] : kPaths[(choice - 192) % std::size(kPaths)]);
  }
  void version(wire::Encoder& out) { out.i32(kVersions[input_.byte() % std::size(kVersions)]); }

  void data(wire::Encoder& out) {
    const uint8_t choice = input_.byte();
    if (choice < 240) return out.view(kTexts[choice % std::size(kTexts)]);
    out.view(std::string(size_t{1} << (choice & 15) << 4, 'd'));
  }
  void acl(wire::Encoder& out) {
    const uint8_t choice = input_.byte();
    if (choice == 255) return out.i32(-1);
    const int32_t count = choice < 192 ? 1 : choice & 3;
    out.i32(count);
    for (int32_t i = 0; i < count; ++i) {
      out.i32(choice < 128 ? 31 : input_.byte());
      out.view(choice < 128 ? kSchemes[0] : pick(kSchemes));
      out.view(choice < 128 ? kIds[0] : pick(kIds));
    }
  }
  void paths(wire::Encoder& out) {
    const int32_t count = input_.byte() % 4 - 1;
    out.i32(count);
    for (int32_t i = 0; i < count; ++i) path(out);
  }

  void body(wire::Encoder& out, Op op) {
    if (op == Op::Multi || op == Op::MultiRead) return multi(out);
    switch (op) {
      case Op::SetWatches:
      case Op::SetWatches2:
        out.i64(static_cast<int8_t>(input_.byte()));
        for (int i = 0; i < (op == Op::SetWatches ? 3 : 5); ++i) paths(out);
        return;
      case Op::Auth:
        out.i32(0);
        out.view(pick(kSchemes));
        return out.view(pick(kIds));
      case Op::Reconfig:
        for (int i = 0; i < 3; ++i) out.view(pick(kTexts));
        return out.i64(-1);
      case Op::CloseSession:
      case Op::Ping:
      case Op::WhoAmI:
        return;
      case Op::CreateSession:
        return out.i32(input_.byte());
      case Op::AddWatch:
      case Op::CheckWatches:
      case Op::RemoveWatches:
        path(out);
        return out.i32(input_.byte() % 7);
      default:
        return part(out, op);
    }
  }

  /// What may be part of a multi, and the requests of a path and a flag.
  void part(wire::Encoder& out, Op op) {
    path(out);
    switch (op) {
      case Op::Create:
      case Op::Create2:
      case Op::CreateContainer:
      case Op::CreateTtl: {
        data(out);
        acl(out);
        const uint8_t flags = input_.byte();
        out.i32(op == Op::CreateContainer ? 4
                : op == Op::CreateTtl     ? 5 + flags % 2
                : flags < 96              ? 0
                                          : flags % 8 - flags / 250);
        if (op == Op::CreateTtl) out.i64(int64_t{1} << (flags >> 2));
        return;
      }
      case Op::SetData:
        data(out);
        return version(out);
      case Op::SetAcl:
        acl(out);
        return version(out);
      case Op::Delete:
      case Op::Check:
        return version(out);
      default:
        return out.boolean((input_.byte() & 1) != 0);
    }
  }

  void multi(wire::Encoder& out) {
    const int parts = input_.byte() % 6;
    for (int i = 0; i < parts; ++i) {
      const Op op = kParts[input_.byte() % std::size(kParts)];
      out.i32(static_cast<int32_t>(op));
      out.boolean(false);
      out.i32(-1);
      part(out, op);
    }
    out.i32(-1);
    out.boolean(true);
    out.i32(-1);
  }

  Input& input_;
};

}  // namespace quorate::fuzz

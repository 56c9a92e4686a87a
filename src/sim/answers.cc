#include "sim/answers.h"

#include <fmt/format.h>

#include <algorithm>

#include "sim/quota.h"
#include "wire/client.h"

namespace quorate::sim {
namespace {

using wire::Code;
using wire::Op;

/// Who may not administer a node sees whose hash it is, and not the hash. Spec: client 10.6.
Acl without_hashes(Acl acl) {
  for (AclEntry& entry : acl) {
    if (entry.scheme == "digest") entry.id = entry.id.substr(0, entry.id.find(':')) + ":x";
  }
  return acl;
}

class Answer {
 public:
  Answer(const Model& model, const Request& request, int64_t zxid, std::string_view body)
      : model_(model), request_(request), zxid_(zxid), in_(body) {}

  Code code() const {
    switch (request_.op) {
      case Op::Exists:
      case Op::GetData:
      case Op::GetChildren:
      case Op::GetChildren2:
      case Op::GetAllChildrenNumber:
        return readable(request_.ask.path, wire::kPermRead);
      case Op::GetAcl:
        return readable(request_.ask.path, wire::kPermRead | wire::kPermAdmin);
      default:
        return Code::Ok;
    }
  }

  std::string check_body() {
    const std::string& path = request_.ask.path;
    switch (request_.op) {
      case Op::Exists:
        stat(path);
        break;
      case Op::GetData:
        data(path);
        break;
      case Op::GetChildren:
        children(path);
        break;
      case Op::GetChildren2:
        children(path);
        stat(path);
        break;
      case Op::GetAcl:
        acl(path);
        break;
      case Op::Sync:
        expect(in_.view() == path, "path");
        break;
      case Op::GetAllChildrenNumber:
        expect(in_.i32() == static_cast<int32_t>(model_.below(path, zxid_).size()), "number of nodes below");
        break;
      case Op::GetEphemerals:
        ephemerals();
        break;
      case Op::MultiRead:
        parts();
        break;
      case Op::WhoAmI:
        identities();
        break;
      case Op::AddWatch:
        expect(in_.i32() == 0, "code in the body");
        break;
      default:
        break;
    }
    expect(in_.ok() && in_.ended(), "length");
    return wrong_;
  }

 private:
  const NodeVersion& node(const std::string& path) const { return *model_.at(path, zxid_); }
  Code readable(const std::string& path, int32_t wanted) const {
    const NodeVersion* found = model_.at(path, zxid_);
    if (found == nullptr) return Code::NoNode;
    return permits(found->acl, wanted, request_.who) ? Code::Ok : Code::NoAuth;
  }
  void expect(bool right, std::string_view what) {
    if (!right && wrong_.empty()) wrong_ = what;
  }
  void stat(const std::string& path) {
    wire::Stat got;
    wire::decode(in_, got);
    wire::Stat wanted = model_.client_stat(node(path));
    if (path.ends_with("/zookeeper_stats")) wanted.data_length = got.data_length;  // the usage, written by no txn
    expect(got == wanted, fmt::format("stat of {}", path));
  }
  void data(const std::string& path) {
    expect(shows_data(model_, path, zxid_, in_.view()), fmt::format("data of {}", path));
    stat(path);
  }
  void identities() {
    const int32_t count = in_.i32();
    expect(count == (request_.who.empty() ? 1 : 2), "number of identities");
    bool address = false;
    bool user = request_.who.empty();
    for (int32_t i = 0; i < count && in_.ok(); ++i) {
      const std::string_view scheme = in_.view();
      const std::string_view name = in_.view();
      address = address || scheme == "ip";
      user = user || (scheme == "digest" && name == request_.who.substr(0, request_.who.find(':')));
    }
    expect(address && user, "identities");
  }
  std::vector<std::string> names() {
    std::vector<std::string> all;
    const int32_t count = in_.i32();
    for (int32_t i = 0; i < count && in_.ok(); ++i) all.emplace_back(in_.view());
    std::ranges::sort(all);
    return all;
  }
  void children(const std::string& path) {
    std::vector<std::string> wanted = model_.children(path, zxid_);
    std::ranges::sort(wanted);
    expect(names() == wanted, fmt::format("children of {}", path));
  }
  void ephemerals() {
    std::vector<std::string> wanted = model_.ephemerals_of(request_.session, zxid_);
    std::erase_if(wanted, [&](const std::string& path) { return !path.starts_with(request_.ask.path); });
    expect(names() == wanted, "ephemerals");
  }
  void acl(const std::string& path) {
    const NodeVersion& wanted = node(path);
    Acl got;
    const int32_t count = in_.i32();
    for (int32_t i = 0; i < count && in_.ok(); ++i) {
      AclEntry entry;
      entry.perms = in_.i32();
      entry.scheme = in_.view();
      entry.id = in_.view();
      got.push_back(std::move(entry));
    }
    const bool may_administer = permits(wanted.acl, wire::kPermAdmin, request_.who);
    expect(got == (may_administer ? *wanted.acl : without_hashes(*wanted.acl)), "access control list");
    stat(path);
  }
  void parts() {
    for (const Ask& part : request_.parts) {
      wire::MultiHeader header;
      wire::decode(in_, header);
      const Code wanted = readable(part.path, wire::kPermRead);
      expect(header.err == static_cast<int32_t>(wanted), "code of a part");
      if (wanted != Code::Ok) {
        in_.i32();
      } else if (part.op == Op::GetData) {
        data(part.path);
      } else {
        children(part.path);
      }
    }
    wire::MultiHeader last;
    wire::decode(in_, last);
    expect(last.done, "end of the parts");
  }

  const Model& model_;
  const Request& request_;
  int64_t zxid_;
  wire::Decoder in_;
  std::string wrong_;
};

}  // namespace

std::string wrong_read(const Model& model, const Request& request, int64_t zxid, Code code, std::string_view body) {
  Answer answer(model, request, zxid, body);
  const Code wanted = answer.code();
  if (code != wanted) {
    return fmt::format("code {}, not {}", static_cast<int32_t>(code), static_cast<int32_t>(wanted));
  }
  if (code == Code::Ok) return answer.check_body();
  return body.empty() ? std::string() : "a body behind an error";
}

}  // namespace quorate::sim

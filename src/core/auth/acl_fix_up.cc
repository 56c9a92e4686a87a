#include <deque>
#include <set>
#include <string>
#include <tuple>

#include "core/auth/acl_list.h"
#include "core/auth/auth.h"
#include "core/auth/provider.h"
#include "core/auth/standard_text.h"

namespace quorate::auth {

namespace {

/// One run over a list of a create or setACL. Spec: client 10.6.
class FixUp {
 public:
  FixUp(const AuthSettings& settings, Holders who, ByteBuffer& out) : settings_(settings), who_(who), writer_(out) {}

  wire::Code run(const wire::AclVector& list);

 private:
  static constexpr size_t kMaxExpandedBytes = size_t{1} << 20;

  wire::Code fix(const wire::AclItem& item);
  wire::Code expand(int32_t perms);
  bool first_seen(const wire::AclItem& item);
  void make_standard(std::string_view& text);

  const AuthSettings& settings_;
  Holders who_;
  AclWriter writer_;
  std::deque<std::string> texts_;  ///< Those that had to be rewritten.
  std::set<std::tuple<int32_t, std::string_view, bool, std::string_view>> seen_;
};

wire::Code FixUp::run(const wire::AclVector& list) {
  wire::Code code = list.size() == 0 ? wire::Code::InvalidAcl : wire::Code::Ok;
  list.each([&](wire::AclItem item) {
    if (code != wire::Code::Ok) return;
    make_standard(item.scheme);
    make_standard(item.id);
    if (first_seen(item)) code = fix(item);
  });
  if (code == wire::Code::Ok) {
    writer_.finish();
  } else {
    writer_.abandon();
  }
  return code;
}

wire::Code FixUp::fix(const wire::AclItem& item) {
  if (wire::is_absent(item.scheme)) return wire::Code::InvalidAcl;
  // Compat: "auth" never looks at its id, and an unknown scheme is found out before it; a missing id of any other
  // scheme is a fault of the request.
  if (item.scheme == "auth") return expand(item.perms);
  const Provider* provider = find_provider(settings_, item.scheme);
  if (provider == nullptr && item.scheme != "world") return wire::Code::InvalidAcl;
  if (wire::is_absent(item.id)) return wire::Code::MarshallingError;
  const bool valid = provider == nullptr ? is_anyone(item) : provider->valid(item.id);
  if (!valid) return wire::Code::InvalidAcl;
  writer_.add(item);
  return wire::Code::Ok;
}

wire::Code FixUp::expand(int32_t perms) {
  bool authenticated = false;
  for (const Identity& identity : who_) {
    const Provider* provider = find_provider(settings_, identity.scheme);
    if (provider == nullptr || !provider->authenticates) continue;
    authenticated = true;
    writer_.add({perms, identity.scheme, identity.id});
    if (writer_.bytes() > kMaxExpandedBytes) return wire::Code::InvalidAcl;
  }
  return authenticated ? wire::Code::Ok : wire::Code::InvalidAcl;
}

bool FixUp::first_seen(const wire::AclItem& item) {
  return seen_.emplace(item.perms, item.scheme, wire::is_absent(item.id), item.id).second;
}

void FixUp::make_standard(std::string_view& text) {
  if (is_standard_utf8(text)) return;
  text = texts_.emplace_back(standard_utf8(text));
}

}  // namespace

wire::Code Auth::fix_up(const wire::AclVector& list, Holders who, ByteBuffer& out) const {
  if (is_open(list)) {
    out.append(kOpenList);
    return wire::Code::Ok;
  }
  return FixUp(settings_, who, out).run(list);
}

}  // namespace quorate::auth

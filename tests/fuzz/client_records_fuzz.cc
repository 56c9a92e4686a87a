#include "base/check.h"
#include "input.h"
#include "wire/client.h"
#include "wire/record.h"

/// Every record of the client protocol: decoding never reads outside of the frame, and what was decoded encodes to
/// bytes that mean the same. The first byte picks the record.
namespace quorate::fuzz {
namespace {

template <class Record>
bool round_trip(wire::Decoder& in) {
  Record record;
  if (!wire::decode(in, record)) return false;
  ByteBuffer once;
  wire::Encoder first(once);
  wire::encode(first, record);

  Record again;
  wire::Decoder back(once.view());
  QUORATE_CHECK(wire::decode(back, again) && back.ended());
  ByteBuffer twice;
  wire::Encoder second(twice);
  wire::encode(second, again);
  QUORATE_CHECK(once.view() == twice.view());
  return true;
}

bool multi_part(int32_t type, wire::Decoder& in) {
  switch (static_cast<wire::Op>(type)) {
    case wire::Op::Create:
    case wire::Op::Create2:
    case wire::Op::CreateContainer:
      return round_trip<wire::CreateRequest>(in);
    case wire::Op::CreateTtl:
      return round_trip<wire::CreateTtlRequest>(in);
    case wire::Op::Delete:
    case wire::Op::Check:
      return round_trip<wire::PathVersionRequest>(in);
    case wire::Op::SetData:
      return round_trip<wire::SetDataRequest>(in);
    case wire::Op::GetData:
    case wire::Op::GetChildren:
      return round_trip<wire::PathWatchRequest>(in);
    default:
      return false;
  }
}

bool multi(wire::Decoder& in) {
  wire::MultiHeader header;
  while (wire::decode(in, header) && !header.done) {
    if (!multi_part(header.type, in)) return false;
  }
  return in.ok();
}

using Walk = bool (*)(wire::Decoder&);
constexpr Walk kWalks[] = {
    multi,
    round_trip<wire::RequestHeader>,
    round_trip<wire::ReplyHeader>,
    round_trip<wire::ConnectRequest>,
    round_trip<wire::ConnectResponse>,
    round_trip<wire::CreateRequest>,
    round_trip<wire::CreateTtlRequest>,
    round_trip<wire::PathRequest>,
    round_trip<wire::PathWatchRequest>,
    round_trip<wire::PathVersionRequest>,
    round_trip<wire::SetDataRequest>,
    round_trip<wire::SetAclRequest>,
    round_trip<wire::WatcherTypeRequest>,
    round_trip<wire::AddWatchRequest>,
    round_trip<wire::SetWatchesRequest>,
    round_trip<wire::SetWatches2Request>,
    round_trip<wire::AuthRequest>,
    round_trip<wire::ReconfigRequest>,
    round_trip<wire::MultiHeader>,
    round_trip<wire::WatcherEvent>,
};

}  // namespace
}  // namespace quorate::fuzz

extern "C" int LLVMFuzzerTestOneInput(const uint8_t* data, size_t size) {
  using namespace quorate;
  fuzz::Input input(data, size);
  const fuzz::Walk walk = fuzz::kWalks[input.byte() % std::size(fuzz::kWalks)];
  wire::Decoder in(input.rest());
  walk(in);
  return 0;
}

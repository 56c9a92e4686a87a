#include <fmt/format.h>

#include <algorithm>

#include "shell/storage/directory.h"
#include "shell/storage/snapshot_body.h"
#include "shell/storage/snapshot_file.h"
#include "shell/storage/snapshot_stream.h"
#include "wire/log_record.h"

namespace quorate::storage {
namespace {

constexpr size_t kHeaderBytes = 16;
constexpr size_t kSealBytes = 13;
constexpr size_t kDigestBytes = 20;
constexpr size_t kLastZxidBytes = 8;
constexpr int32_t kDigestVersion = 2;
constexpr std::string_view kTail{"\0\0\0\1/", 5};

class Parser {
 public:
  Parser(SnapshotStream& stream, size_t max_buffer_bytes, SnapshotReceiver& receiver)
      : stream_(stream), max_buffer_bytes_(max_buffer_bytes), receiver_(receiver) {}

  Result<SnapshotFacts> run() {
    if (auto done = header(); !done) return std::unexpected(done.error());
    if (auto done = body(); !done) return std::unexpected(done.error());
    facts_.body_end = static_cast<int64_t>(stream_.position());
    if (auto done = seal(); !done) return std::unexpected(done.error());
    if (auto done = sections(); !done) return std::unexpected(done.error());
    facts_.uncompressed_size = static_cast<int64_t>(stream_.position());
    return facts_;
  }

 private:
  std::unexpected<Error> bad(std::string_view what) const {
    return fail(Fault::Corrupt, fmt::format("{} at offset {}", what, stream_.position()));
  }
  /// `bytes` more, or Corrupt.
  Result<void> want(size_t bytes) {
    auto there = stream_.need(bytes);
    if (!there) return std::unexpected(there.error());
    if (!*there) return bad("the file ends too early");
    return {};
  }
  int32_t i32_at(size_t offset) const { return static_cast<int32_t>(wire::load_be32(stream_.rest().data() + offset)); }
  int64_t i64_at(size_t offset) const { return static_cast<int64_t>(wire::load_be64(stream_.rest().data() + offset)); }

  Result<void> header() {
    if (auto there = want(kHeaderBytes); !there) return there;
    if (static_cast<uint32_t>(i32_at(0)) != wire::kSnapshotMagic) return bad("mismatching magic headers");
    stream_.consume(kHeaderBytes);
    return {};
  }
  Result<void> body() {
    SnapshotBody body(max_buffer_bytes_, receiver_, stream_.position());
    while (!body.done()) {
      if (auto there = want(body.wanted()); !there) return there;
      auto used = body.take(stream_.rest());
      if (!used) return std::unexpected(used.error());
      stream_.consume(*used);
    }
    facts_.sessions = body.sessions();
    facts_.acls = body.acls();
    facts_.nodes = body.nodes();
    return {};
  }

  /// The sum of all bytes before it, and a string whose value does not matter.
  Result<void> seal() {
    if (auto there = want(kSealBytes); !there) return there;
    if (static_cast<uint64_t>(i64_at(0)) != stream_.adler()) return bad("CRC corruption");
    stream_.consume(kSealBytes);
    return {};
  }
  /// Sections do not say what they are and depend on the writer's flags: one is there when its seal matches.
  Result<bool> sealed_section(size_t bytes) {
    auto there = stream_.need(bytes + kSealBytes);
    if (!there || !*there) return there;
    return static_cast<uint64_t>(i64_at(bytes)) == stream_.adler_with(bytes);
  }
  Result<void> sections() {
    auto more = stream_.need(1);
    if (!more) return std::unexpected(more.error());
    if (!*more) return {};
    auto digest = digest_section();
    if (!digest) return std::unexpected(digest.error());
    if (auto still = stream_.need(1); !still || !*still) return still ? Result<void>() : std::unexpected(still.error());
    auto last = sealed_section(kLastZxidBytes);
    if (!last) return std::unexpected(last.error());
    if (!*last) return bad("CRC corruption");
    facts_.has_last_zxid = true;
    facts_.last_zxid = {i64_at(0)};
    stream_.consume(kLastZxidBytes + kSealBytes);
    if (auto still = stream_.need(1); !still || *still)
      return still ? bad("surplus bytes") : std::unexpected(still.error());
    return {};
  }
  Result<bool> digest_section() {
    auto there = stream_.need(kLastZxidBytes + 8);
    if (!there || !*there) return there;
    const int32_t version = i32_at(8);
    size_t bytes = kDigestBytes;
    if (version < kDigestVersion) {  // 3.6 early: a string instead of a number
      const int32_t length = std::max(i32_at(12), 0);
      if (static_cast<size_t>(length) > max_buffer_bytes_) return false;
      bytes = 16 + static_cast<size_t>(length);
    }
    auto sealed = sealed_section(bytes);
    if (!sealed || !*sealed) return sealed;
    facts_.has_digest = true;
    facts_.digest_zxid = {i64_at(0)};
    facts_.digest_version = version;
    facts_.digest = version == kDigestVersion ? i64_at(12) : 0;
    stream_.consume(bytes + kSealBytes);
    return true;
  }

  SnapshotStream& stream_;
  size_t max_buffer_bytes_;
  SnapshotReceiver& receiver_;
  SnapshotFacts facts_;
};

Result<SnapshotFacts> parse(env::Disk& disk, const std::string& path, env::Open mode, size_t max_buffer_bytes,
                            SnapshotReceiver& receiver) {
  auto source = open_source(disk, path, compression_of(path), mode);
  if (!source) return std::unexpected(source.error());
  SnapshotStream stream(std::move(*source));
  auto facts = Parser(stream, max_buffer_bytes, receiver).run();
  if (!facts) return fail(facts.error().fault, fmt::format("{}: {}", path, facts.error().detail));
  facts->zxid = zxid_of_name(path.substr(path.rfind('/') + 1)).value_or(Zxid{});
  if (facts->has_last_zxid && facts->last_zxid < facts->zxid) {
    return fail(Fault::Corrupt,
                fmt::format("{}: it was taken at zxid 0x{:x}", path, static_cast<uint64_t>(facts->last_zxid.value)));
  }
  return facts;
}

}  // namespace

Result<SnapshotFacts> load_snapshot(env::Disk& disk, const std::string& directory, const std::string& name,
                                    size_t max_buffer_bytes, tree::Tree& tree, tree::SessionList& sessions) {
  LoadingReceiver receiver(tree, sessions);
  auto facts = parse(disk, fmt::format("{}/{}", directory, name), env::Open::Read, max_buffer_bytes, receiver);
  if (!facts) return facts;
  if (!receiver.finish(facts->zxid)) {
    return fail(Fault::Corrupt, fmt::format("{}/{}: {}", directory, name, receiver.why()));
  }
  return facts;
}

Result<SnapshotFacts> verify_snapshot(env::Disk& disk, const std::string& directory, const std::string& name,
                                      size_t max_buffer_bytes) {
  SnapshotReceiver receiver;
  return parse(disk, fmt::format("{}/{}", directory, name), env::Open::ReadSlowly, max_buffer_bytes, receiver);
}

Result<bool> looks_complete(env::Disk& disk, const std::string& path) {
  auto file = disk.open(path, env::Open::Read);
  if (!file && file.error().fault == Fault::NotFound) return false;
  if (!file) return std::unexpected(file.error());
  const Compression compression = compression_of(path);
  char bytes[8];
  if (compression != Compression::None) {
    auto got = (*file)->read(0, bytes);
    if (!got) return std::unexpected(got.error());
    const std::string_view magic = compression == Compression::Gzip ? std::string_view("\x1f\x8b") : kSnappyMagic;
    return std::string_view(bytes, *got).starts_with(magic);
  }
  auto size = (*file)->size();
  if (!size) return std::unexpected(size.error());
  if (*size < 10) return false;
  auto got = (*file)->read(*size - kTail.size(), {bytes, kTail.size()});
  if (!got) return std::unexpected(got.error());
  return std::string_view(bytes, *got) == kTail;
}

}  // namespace quorate::storage

#include <fmt/format.h>

#include <utility>

#include "shell/storage/directory.h"
#include "shell/storage/snapshot_file.h"
#include "shell/storage/snapshot_stream.h"
#include "wire/log_record.h"
#include "wire/record.h"

namespace quorate::storage {
namespace {

constexpr size_t kHeaderBytes = 16;
constexpr size_t kSealBytes = 13;
constexpr size_t kStatBytes = 60;
constexpr size_t kDigestBytes = 20;
constexpr size_t kLastZxidBytes = 8;
constexpr int32_t kDigestVersion = 2;
constexpr std::string_view kTail{"\0\0\0\1/", 5};

/// Where the pieces go.
class Receiver {
 public:
  virtual ~Receiver() = default;
  virtual void session(SessionId, int32_t) {}
  virtual bool acl(tree::AclId, std::string_view) { return true; }
  virtual bool node(std::string_view, std::string_view, tree::AclId, const wire::StatPersisted&) { return true; }
  virtual std::string why() const { return {}; }
};

class LoadingReceiver : public Receiver {
 public:
  LoadingReceiver(tree::Tree& tree, tree::SessionList& sessions) : loader_(tree, sessions) {}
  void session(SessionId id, int32_t timeout_ms) override { loader_.session(id, timeout_ms); }
  bool acl(tree::AclId id, std::string_view raw) override { return loader_.acl(id, raw); }
  bool node(std::string_view path, std::string_view data, tree::AclId acl, const wire::StatPersisted& stat) override {
    return loader_.node(path, data, acl, stat);
  }
  std::string why() const override { return loader_.why(); }
  bool finish(Zxid zxid) { return loader_.finish(zxid); }

 private:
  tree::TreeLoader loader_;
};

class Parser {
 public:
  Parser(SnapshotStream& stream, size_t max_buffer_bytes, Receiver& receiver)
      : stream_(stream), max_buffer_bytes_(max_buffer_bytes), receiver_(receiver) {}

  Result<SnapshotFacts> run() {
    if (auto done = header(); !done) return std::unexpected(done.error());
    if (auto done = sessions(); !done) return std::unexpected(done.error());
    if (auto done = acls(); !done) return std::unexpected(done.error());
    if (auto done = nodes(); !done) return std::unexpected(done.error());
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
  /// The bytes of a buffer whose length stands at `offset`: 0 for an absent one. Needs the length to be there.
  Result<size_t> length_at(size_t offset) {
    const int32_t length = i32_at(offset);
    if (length == -1) return 0;
    if (length < 0 || static_cast<size_t>(length) > max_buffer_bytes_) {
      return bad(fmt::format("Unreasonable length = {}", length));
    }
    return static_cast<size_t>(length);
  }

  Result<void> header() {
    if (auto there = want(kHeaderBytes); !there) return there;
    if (static_cast<uint32_t>(i32_at(0)) != wire::kSnapshotMagic) return bad("mismatching magic headers");
    stream_.consume(kHeaderBytes);
    return {};
  }
  Result<int32_t> count() {
    if (auto there = want(4); !there) return std::unexpected(there.error());
    const int32_t count = i32_at(0);
    if (count < 0) return bad(fmt::format("count {}", count));
    stream_.consume(4);
    return count;
  }
  Result<void> sessions() {
    auto left = count();
    if (!left) return std::unexpected(left.error());
    facts_.sessions = static_cast<size_t>(*left);
    for (int32_t i = 0; i < *left; ++i) {
      if (auto there = want(12); !there) return there;
      receiver_.session({i64_at(0)}, i32_at(8));
      stream_.consume(12);
    }
    return {};
  }
  Result<void> acls() {
    auto left = count();
    if (!left) return std::unexpected(left.error());
    facts_.acls = static_cast<size_t>(*left);
    for (int32_t i = 0; i < *left; ++i) {
      auto raw_bytes = acl_list_bytes();
      if (!raw_bytes) return std::unexpected(raw_bytes.error());
      if (!receiver_.acl(tree::AclId{i64_at(0)}, stream_.rest().substr(8, *raw_bytes))) return bad(receiver_.why());
      stream_.consume(8 + *raw_bytes);
    }
    return {};
  }
  /// Makes an id and its list available; the size of the list with its count.
  Result<size_t> acl_list_bytes() {
    if (auto there = want(12); !there) return std::unexpected(there.error());
    const int32_t items = i32_at(8);
    if (items < 0) return bad("missing acl list");
    size_t end = 12;
    for (int32_t i = 0; i < items; ++i) {
      end += 4;
      for (int part = 0; part < 2; ++part) {
        if (auto there = want(end + 4); !there) return std::unexpected(there.error());
        auto length = length_at(end);
        if (!length) return std::unexpected(length.error());
        end += 4 + *length;
      }
    }
    if (auto there = want(end); !there) return std::unexpected(there.error());
    return end - 8;
  }

  Result<void> nodes() {
    while (true) {
      if (auto there = want(5); !there) return there;
      const int32_t path_length = i32_at(0);
      if (path_length == 1 && stream_.rest()[4] == '/') break;
      if (path_length < 0) return bad("missing path");
      auto done = node();
      if (!done) return done;
    }
    stream_.consume(kTail.size());
    return {};
  }
  Result<void> node() {
    auto path_length = length_at(0);
    if (!path_length) return std::unexpected(path_length.error());
    const size_t data_at = 4 + *path_length;
    if (auto there = want(data_at + 4); !there) return there;
    auto data_length = length_at(data_at);
    if (!data_length) return std::unexpected(data_length.error());
    const size_t acl_at = data_at + 4 + *data_length;
    const size_t size = acl_at + 8 + kStatBytes;
    if (auto there = want(size); !there) return there;

    const std::string_view bytes = stream_.rest();
    const bool absent = i32_at(data_at) == -1;
    const std::string_view data = absent ? wire::kAbsent : bytes.substr(data_at + 4, *data_length);
    wire::Decoder stat_bytes(bytes.substr(acl_at + 8, kStatBytes));
    wire::StatPersisted stat;
    wire::decode(stat_bytes, stat);
    if (!receiver_.node(bytes.substr(4, *path_length), data, tree::AclId{i64_at(acl_at)}, stat)) {
      return bad(receiver_.why());
    }
    stream_.consume(size);
    ++facts_.nodes;
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
      auto length = length_at(12);
      if (!length) return false;
      bytes = 16 + *length;
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
  Receiver& receiver_;
  SnapshotFacts facts_;
};

Result<SnapshotFacts> parse(env::Disk& disk, const std::string& path, size_t max_buffer_bytes, Receiver& receiver) {
  auto source = open_source(disk, path, compression_of(path));
  if (!source) return std::unexpected(source.error());
  SnapshotStream stream(std::move(*source));
  auto facts = Parser(stream, max_buffer_bytes, receiver).run();
  if (!facts) return fail(facts.error().fault, fmt::format("{}: {}", path, facts.error().detail));
  return facts;
}

}  // namespace

Result<SnapshotFacts> load_snapshot(env::Disk& disk, const std::string& directory, const std::string& name,
                                    size_t max_buffer_bytes, tree::Tree& tree, tree::SessionList& sessions) {
  LoadingReceiver receiver(tree, sessions);
  auto facts = parse(disk, fmt::format("{}/{}", directory, name), max_buffer_bytes, receiver);
  if (!facts) return facts;
  facts->zxid = zxid_of_name(name).value_or(Zxid{});
  if (!receiver.finish(facts->zxid)) {
    return fail(Fault::Corrupt, fmt::format("{}/{}: {}", directory, name, receiver.why()));
  }
  return facts;
}

Result<SnapshotFacts> verify_snapshot(env::Disk& disk, const std::string& directory, const std::string& name,
                                      size_t max_buffer_bytes) {
  Receiver receiver;
  auto facts = parse(disk, fmt::format("{}/{}", directory, name), max_buffer_bytes, receiver);
  if (facts) facts->zxid = zxid_of_name(name).value_or(Zxid{});
  return facts;
}

bool looks_complete(env::Disk& disk, const std::string& path) {
  auto file = disk.open(path, env::Open::Read);
  if (!file) return false;
  const Compression compression = compression_of(path);
  char bytes[8];
  if (compression != Compression::None) {
    auto got = (*file)->read(0, bytes);
    const std::string_view magic = compression == Compression::Gzip ? std::string_view("\x1f\x8b") : kSnappyMagic;
    return got && std::string_view(bytes, *got).starts_with(magic);
  }
  auto size = (*file)->size();
  if (!size || *size < 10) return false;
  auto got = (*file)->read(*size - kTail.size(), {bytes, kTail.size()});
  return got && std::string_view(bytes, *got) == kTail;
}

}  // namespace quorate::storage

#include <fmt/format.h>

#include "tools/bench_frames.h"
#include "tools/bench_workload.h"
#include "wire/client.h"

namespace quorate::tools {
namespace {

std::unexpected<Error> refused(std::string_view path, int32_t err) {
  return fail(Fault::Invalid, fmt::format("{}: the server answered with error {}", path, err));
}

bool is(int32_t err, wire::Code code) { return err == static_cast<int32_t>(code); }

/// A node that is there already is as good.
Result<void> ensure(BenchLink& link, const std::string& path) {
  const auto reply = link.call(create_frame(path, ""));
  if (!reply) return std::unexpected(reply.error());
  if (reply->err != 0 && !is(reply->err, wire::Code::NodeExists)) return refused(path, reply->err);
  return {};
}

/// Makes the root and, above it, what is missing.
Result<void> ensure_root(const BenchOptions& options, BenchLink& link) {
  for (size_t slash = options.root.find('/', 1);; slash = options.root.find('/', slash + 1)) {
    if (auto made = ensure(link, options.root.substr(0, slash)); !made) return made;
    if (slash == std::string::npos) return {};
  }
}

Result<void> write_keys(const BenchOptions& options, BenchLink& link) {
  const std::string value(options.value_bytes, 'v');
  for (uint32_t key = 0; key < options.keys; ++key) {
    const std::string path = key_path(options, key);
    auto reply = link.call(create_frame(path, value));
    if (reply && is(reply->err, wire::Code::NodeExists)) reply = link.call(set_frame(path, value));
    if (!reply) return std::unexpected(reply.error());
    if (reply->err != 0) return refused(path, reply->err);
  }
  return {};
}

/// cversion counts creations and deletions of children, so no child had a number from there on.
Result<uint64_t> first_free_number(BenchLink& link, const std::string& path) {
  const auto reply = link.call(exists_frame(path));
  if (!reply) return std::unexpected(reply.error());
  wire::Decoder in(reply->body);
  wire::Stat stat;
  if (reply->err != 0 || !wire::decode(in, stat)) return refused(path, reply->err);
  return static_cast<uint64_t>(stat.cversion);
}

Result<std::unique_ptr<BenchWorkload>> prepare_create(const BenchOptions& options, BenchLink& link) {
  std::vector<uint64_t> next;
  for (uint32_t i = 0; i < options.connections; ++i) {
    const std::string parent = directory_path(options, 'c', i);
    if (auto made = ensure(link, parent); !made) return std::unexpected(made.error());
    const auto number = first_free_number(link, parent);
    if (!number) return std::unexpected(number.error());
    next.push_back(*number);
  }
  return create_workload(options, std::move(next));
}

Result<std::unique_ptr<BenchWorkload>> prepare_fill(const BenchOptions& options, BenchLink& link) {
  const uint64_t directories = (options.fill + options.fan_out - 1) / options.fan_out;
  for (uint64_t i = 0; i < directories; ++i) {
    if (auto made = ensure(link, directory_path(options, 'd', i)); !made) return std::unexpected(made.error());
  }
  return fill_workload(options);
}

/// Paths of the children; none when there is no such node.
Result<std::vector<std::string>> children(BenchLink& link, const std::string& path) {
  const auto reply = link.call(children_frame(path));
  if (!reply) return std::unexpected(reply.error());
  std::vector<std::string> paths;
  if (is(reply->err, wire::Code::NoNode)) return paths;
  if (reply->err != 0) return refused(path, reply->err);
  wire::Decoder in(reply->body);
  const auto names = wire::StringVector::take(in);
  if (!in.ok()) return fail(Fault::Corrupt, fmt::format("the children of {} are cut short", path));
  names.each([&](const wire::StringItem& name) { paths.push_back(fmt::format("{}/{}", path, name.text)); });
  return paths;
}

/// All nodes two levels below the root; keys and directories follow in finish_workload.
Result<std::unique_ptr<BenchWorkload>> prepare_delete(const BenchOptions& options, BenchLink& link) {
  const auto directories = children(link, options.root);
  if (!directories) return std::unexpected(directories.error());
  std::vector<std::string> leaves;
  for (const std::string& directory : *directories) {
    auto below = children(link, directory);
    if (!below) return std::unexpected(below.error());
    std::ranges::move(*below, std::back_inserter(leaves));
  }
  return delete_workload(std::move(leaves));
}

}  // namespace

Result<std::unique_ptr<BenchWorkload>> prepare_workload(const BenchOptions& options, BenchLink& link) {
  if (options.mode == BenchMode::Delete) return prepare_delete(options, link);
  if (auto made = ensure_root(options, link); !made) return std::unexpected(made.error());
  if (options.mode == BenchMode::Create) return prepare_create(options, link);
  if (options.mode == BenchMode::Fill) return prepare_fill(options, link);
  if (options.prepare) {
    if (auto written = write_keys(options, link); !written) return std::unexpected(written.error());
  }
  return key_workload(options);
}

Result<void> finish_workload(const BenchOptions& options, BenchLink& link) {
  if (options.mode != BenchMode::Delete) return {};
  auto rest = children(link, options.root);
  if (!rest) return std::unexpected(rest.error());
  rest->push_back(options.root);
  for (const std::string& path : *rest) {
    const auto reply = link.call(delete_frame(path));
    if (!reply) return std::unexpected(reply.error());
    if (reply->err != 0 && !is(reply->err, wire::Code::NoNode)) return refused(path, reply->err);
  }
  return {};
}

}  // namespace quorate::tools

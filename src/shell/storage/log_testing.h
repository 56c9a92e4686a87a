#pragma once
#include <libdeflate.h>

#include <string>

#include "base/byte_buffer.h"
#include "base/ids.h"
#include "wire/archive.h"
#include "wire/log_record.h"
#include "wire/record.h"
#include "wire/txn.h"

/// For tests: log records and whole log files made by hand.
namespace quorate::storage {

/// Appends the framed record of `create <path> = <data>` to the batch, without its checksum.
inline void add_create(ByteBuffer& batch, Zxid zxid, const std::string& path, const std::string& data) {
  const size_t at = wire::begin_record(batch);
  wire::Encoder out(batch);
  wire::encode(out, wire::TxnHeader{{7}, 1, zxid, 1000, static_cast<int32_t>(wire::Op::Create)});
  ByteBuffer acl;
  wire::Encoder acl_out(acl);
  acl_out.i32(1);
  acl_out.i32(31);
  acl_out.view("world");
  acl_out.view("anyone");
  wire::encode(out, wire::CreateTxn{path, data, wire::AclVector::trusted(acl.view()), false, 1});
  wire::end_record(batch, at);
}

/// One record with its checksum, as it stands in a file. A payload that parses: create /n<zxid>.
inline std::string record_bytes(Zxid zxid, size_t data_bytes = 10) {
  ByteBuffer batch;
  add_create(batch, zxid, "/n" + std::to_string(zxid.value), std::string(data_bytes, 'x'));
  size_t offset = 0;
  const std::string_view payload = wire::next_payload(batch.view(), offset);
  wire::store_be64(batch.data(), libdeflate_adler32(1, payload.data(), payload.size()));
  return std::string(batch.view());
}

inline std::string log_header() { return std::string("ZKLG\0\0\0\2\0\0\0\0\0\0\0\0", 16); }

/// A file with the records first..last.
inline std::string log_bytes(int64_t first, int64_t last, size_t data_bytes = 10) {
  std::string bytes = log_header();
  for (int64_t zxid = first; zxid <= last; ++zxid) bytes += record_bytes({zxid}, data_bytes);
  return bytes;
}

}  // namespace quorate::storage

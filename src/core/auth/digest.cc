#include "core/auth/digest.h"

#include <openssl/evp.h>

#include <algorithm>
#include <array>

namespace quorate::auth {

namespace {

struct Algorithm {
  std::string_view name;
  const EVP_MD* (*get)();
};

/// Names and aliases, with the letters in upper case.
constexpr Algorithm kAlgorithms[] = {
    {"SHA1", EVP_sha1},
    {"SHA-1", EVP_sha1},
    {"SHA", EVP_sha1},
    {"MD5", EVP_md5},
    {"SHA-224", EVP_sha224},
    {"SHA224", EVP_sha224},
    {"SHA-256", EVP_sha256},
    {"SHA256", EVP_sha256},
    {"SHA-384", EVP_sha384},
    {"SHA384", EVP_sha384},
    {"SHA-512", EVP_sha512},
    {"SHA512", EVP_sha512},
    {"SHA-512/224", EVP_sha512_224},
    {"SHA512/224", EVP_sha512_224},
    {"SHA-512/256", EVP_sha512_256},
    {"SHA512/256", EVP_sha512_256},
    {"SHA3-224", EVP_sha3_224},
    {"SHA3-256", EVP_sha3_256},
    {"SHA3-384", EVP_sha3_384},
    {"SHA3-512", EVP_sha3_512},
};

char upper(char letter) { return letter >= 'a' && letter <= 'z' ? static_cast<char>(letter - 'a' + 'A') : letter; }

}  // namespace

const evp_md_st* find_digest(std::string_view jca_name) {
  for (const Algorithm& algorithm : kAlgorithms) {
    if (std::ranges::equal(jca_name, algorithm.name, {}, upper)) return algorithm.get();
  }
  return nullptr;
}

std::optional<std::string> digest_id(std::string_view user_and_password, const evp_md_st* digest) {
  std::array<unsigned char, EVP_MAX_MD_SIZE> hash;
  unsigned int hash_bytes = 0;
  if (EVP_Digest(user_and_password.data(), user_and_password.size(), hash.data(), &hash_bytes, digest, nullptr) != 1) {
    return std::nullopt;
  }
  std::array<unsigned char, (EVP_MAX_MD_SIZE + 2) / 3 * 4 + 1> base64;
  const int length = EVP_EncodeBlock(base64.data(), hash.data(), static_cast<int>(hash_bytes));
  std::string id(digest_user(user_and_password));
  id += ':';
  id.append(reinterpret_cast<const char*>(base64.data()), static_cast<size_t>(length));
  return id;
}

bool digest_id_valid(std::string_view id) {
  // Empty parts at the end do not count, those before do.
  const size_t last = id.find_last_not_of(':');
  if (last == id.npos) return false;
  return std::ranges::count(id.substr(0, last + 1), ':') == 1;
}

std::string_view digest_user(std::string_view id) { return id.substr(0, id.find(':')); }

}  // namespace quorate::auth

#pragma once
#include <cstdint>
#include <span>
#include <string>
#include <string_view>
#include <variant>
#include <vector>

#include "shell/config/settings.h"

/// The table of configuration keys: one declaration a key, from which parsing, the list of `quorate config keys` and
/// docs/operations/configuration.md derive. Constant data. Spec: operations 1.3, 1.7.
namespace quorate::config {

/// How a value is read. Spec: operations 1.1 items 6 and 7.
enum class Type : uint8_t {
  Text,
  Path,         ///< Text; a relative one is warned about.
  List,         ///< Comma separated.
  Int,          ///< Decimal; anything else is an error.
  Flag,         ///< true or false in any case; anything else is an error.
  LenientInt,   ///< Decimal, 0x, # or octal; anything else means the default.
  LenientFlag,  ///< true in any case; anything else is false.
  UnlessNo,     ///< Anything but exactly "no" is true.
  OnlyYes,      ///< Only exactly "yes" is true.
  UnlessFalse,  ///< Anything but exactly "false" is true.
  Real,         ///< A number with a fraction; anything else is an error.
  LenientReal,  ///< The same; anything else means the default.
};

/// Where a key is looked for.
enum class Where : uint8_t {
  File,      ///< In the file only.
  Property,  ///< In the file, then as -Dzookeeper.<name>.
  Bare,      ///< In the file, then as -D<name>: Apache reads these from -D alone (operations, rule C5).
  Option,    ///< As -D<name> alone.
};

/// operations.md's letters.
enum class Verdict : uint8_t { Must, Accept, Refuse, Optional };

enum class OutOfRange : uint8_t { Refuse, RaiseToMin, UseDefault };

struct Range {
  int64_t min = INT64_MIN;
  int64_t max = INT64_MAX;
  OutOfRange then = OutOfRange::Refuse;
  std::string_view words = "";  ///< Of the warning or error, where Apache has some; {} is the given value.
};

/// The place in Settings that a key fills; none for keys without effect and for those that load() treats by hand.
template <class Value>
using FieldOf = Value& (*)(Settings&);
using Field = std::variant<std::monostate, FieldOf<bool>, FieldOf<int32_t>, FieldOf<int64_t>, FieldOf<double>,
                           FieldOf<Millis>, FieldOf<std::string>, FieldOf<std::vector<std::string>>>;

/// at<&Settings::storage, &StorageSettings::snap_count>() is a Field.
template <auto... Members>
constexpr auto at() {
  return +[](Settings& settings) -> auto& { return (settings.*....*Members); };
}

struct Key {
  std::string_view name;  ///< A name that ends in '.' is a family: any key that starts with it.
  Type type = Type::Text;
  std::string_view unit = "";
  std::string_view fallback = "";  ///< As one would write it.
  Field field = {};
  Range range = {};
  Where where = Where::Property;
  bool bare_option_too = false;  ///< -D<name> is a last resort after -Dzookeeper.<name>.
  Verdict verdict = Verdict::Must;
  /// Why the key has no effect here, or why a value is refused. Empty: the key works.
  std::string_view note = "";
  std::string_view help = "";
};

struct Section {
  std::string_view title;
  std::span<const Key> keys;
  std::string_view note = "";  ///< Of all of them.
};

/// All of them, in the order of the documentation.
std::span<const Section> sections();
/// By exact name, else the family that it belongs to; null when unknown.
const Key* find_key(std::string_view name);
/// The key whose name differs only in case; null when there is none.
const Key* find_key_in_any_case(std::string_view name);

/// A name that Apache's guide prints but Apache does not read, and the key that is meant.
struct Alias {
  std::string_view documented;
  std::string_view name;
};
std::span<const Alias> aliases();

/// Values of these are never shown. Spec: operations, rule C6.
bool is_secret(std::string_view name);
/// The value, or *** for a secret.
std::string shown_value(std::string_view name, std::string_view value);

namespace table {

// One file a group: keys_<group>.cc.
std::span<const Key> server_keys();
std::span<const Key> storage_keys();
std::span<const Key> client_keys();
std::span<const Key> throttle_keys();
std::span<const Key> ensemble_keys();
std::span<const Key> election_keys();
std::span<const Key> admin_keys();
std::span<const Key> security_keys();
std::span<const Key> tls_keys();
std::span<const Key> foreign_keys();

inline constexpr std::string_view kLater = "not available in this version";
inline constexpr std::string_view kOneEngine = "one network engine serves all clients";
inline constexpr std::string_view kNoJvm = "there is no Java machine here";

}  // namespace table
}  // namespace quorate::config

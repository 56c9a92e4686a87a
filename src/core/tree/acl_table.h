#pragma once
#include <cstdint>
#include <memory>
#include <string_view>
#include <utility>
#include <vector>

#include "core/tree/sip_hash.h"
#include "wire/vectors.h"

/// Access control lists, interned: equal lists share one id. Ids are those of snapshots: -1 is world:anyone ALL and
/// never stored, others start at 1. Spec: disk 3.1; known-faults 4.1 (4689).
namespace quorate::tree {

enum class AclId : int64_t {};
constexpr AclId kOpenAcl{-1};

class AclTable {
 public:
  /// Clients choose lists, so the hash of the lists is keyed.
  explicit AclTable(HashKey key = {});
  ~AclTable();

  /// The id of a list given as its wire bytes (count and items). Adds it without users when new.
  AclId intern(std::string_view raw);
  /// Count and items; the bytes stay valid while the id has users. Empty view for an id that is not in the table
  /// (a fuzzy snapshot may name one until replay repairs it): deny everything.
  std::string_view raw(AclId id) const;
  /// For an id that is not in the table: one entry that grants nothing, because an empty list would mean "all".
  wire::AclVector list(AclId id) const;

  void add_user(AclId id);
  void drop_user(AclId id);  ///< The last user's drop forgets the list.
  size_t users(AclId id) const;

  /// The four bytes by which a node names its list, reserving an id that is not in the table. Two ids that were loaded
  /// with equal lists share a slot. Valid while the slot has users.
  uint32_t slot_of(AclId id);
  AclId id_at(uint32_t slot) const;

  /// For loading: registers `raw` under a given id; later ids are larger. Reserving keeps an id that a node names
  /// although the table lacks it from being given out again.
  void load(AclId id, std::string_view raw);
  void reserve(AclId id);
  void drop_unused();
  std::vector<std::pair<AclId, std::string_view>> entries() const;  ///< In ascending id order.

 private:
  struct State;
  std::unique_ptr<State> state_;
};

}  // namespace quorate::tree

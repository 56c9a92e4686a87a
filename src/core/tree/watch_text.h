#pragma once
#include <array>
#include <cstdint>
#include <memory>
#include <string>
#include <string_view>
#include <vector>

/// The texts of watched paths, packed into blocks in classes of 8 bytes with a length of two bytes in front; long ones
/// stand alone. A text never moves while it is held. Freed space is reused for texts of the same class.
namespace quorate::tree {

class WatchText {
 public:
  uint32_t put(std::string_view text);
  std::string_view get(uint32_t ref) const;
  void drop(uint32_t ref);
  size_t resident_bytes() const;

 private:
  static constexpr uint32_t kUnit = 8;
  static constexpr uint32_t kBlockUnits = 8192;
  static constexpr uint32_t kClasses = 257;  ///< Units of a packed text: 1 to 256.
  static constexpr uint32_t kAlone = 1u << 31;

  char* at(uint32_t ref) const { return blocks_[ref / kBlockUnits].get() + size_t{ref % kBlockUnits} * kUnit; }
  uint32_t take(uint32_t units);
  void give_back(uint32_t ref, uint32_t units);
  uint32_t put_alone(std::string_view text);

  std::vector<std::unique_ptr<char[]>> blocks_;
  uint32_t next_ = 0;                      ///< First unit never used in the last block.
  uint32_t limit_ = 0;                     ///< End of the last block.
  std::array<uint32_t, kClasses> free_{};  ///< Head of the list of each class, as reference + 1.
  std::vector<std::string> alone_;
  std::vector<uint32_t> alone_free_;
  size_t alone_bytes_ = 0;
};

}  // namespace quorate::tree

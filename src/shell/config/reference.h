#pragma once
#include <string>

/// The table of keys as text for people.
namespace quorate::config {

/// docs/operations/configuration.md, which is this text; a test compares them.
std::string print_key_reference();
/// `quorate config keys`: one line a key.
std::string print_key_list();

}  // namespace quorate::config

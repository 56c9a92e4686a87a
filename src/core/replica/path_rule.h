#pragma once
#include <string_view>

/// What a path may look like, and how it splits. Paths are bytes of standard UTF-8; Apache judges UTF-16 units, so the
/// rules are applied to decoded code points. Spec: client 1.1, 4.1.
namespace quorate::replica {

/// The first check of creates: a slash, no U+0000. The rest of the rule comes later, on the finished name.
bool may_name_parent(std::string_view path);

/// The check of delete and deleteContainer: as above, and none of the nodes that must stay. Spec: client 11.1.
bool may_delete(std::string_view path);

/// Text before the last slash; "" for a top-level name, which is an alias of "/". Requires: a slash in `path`.
std::string_view parent_path(std::string_view path);

}  // namespace quorate::replica

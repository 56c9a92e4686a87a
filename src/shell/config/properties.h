#pragma once
#include <string>
#include <string_view>
#include <vector>

/// The syntax of a Java properties file, which zoo.cfg is: ISO-8859-1, continued lines, escapes. Values come out as
/// UTF-8. Pure function over text. Spec: operations 1.1.
namespace quorate::config {

struct Property {
  std::string key;
  std::string value;
  int line = 0;  ///< Where its first line stands, from 1.
};

struct PropertyFault {
  int line = 0;
  std::string text;  ///< The logical line as written.
};

struct PropertyText {
  std::vector<Property> properties;   ///< In file order, trimmed; duplicates are all there.
  std::vector<PropertyFault> faults;  ///< Lines with a malformed \uXXXX, the only syntax error there is.
};

PropertyText parse_properties(std::string_view text);

}  // namespace quorate::config

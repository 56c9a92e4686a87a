#pragma once
#include <boost/asio/io_context.hpp>
#include <boost/asio/ip/address.hpp>
#include <functional>
#include <map>
#include <memory>
#include <string>
#include <vector>

#include "base/result.h"
#include "shell/io/event_loop.h"

/// Names are looked up on threads that nobody waits for. The system's call cannot be interrupted and may take half a
/// minute: on one shared thread (Asio's) a dead name would hold up the others, and the end of the process.
namespace quorate::io {

/// Leaves out what is no address.
std::vector<boost::asio::ip::address> parse_addresses(const std::vector<std::string>& texts);

class NameLookup {
 public:
  using Found = std::function<void(const Result<std::vector<std::string>>&)>;

  NameLookup(boost::asio::io_context& context, Lookup lookup);
  /// Whoever still waits is not called.
  ~NameLookup();
  NameLookup(const NameLookup&) = delete;
  NameLookup& operator=(const NameLookup&) = delete;

  /// Calls `found` on the loop, never at once. Joins a lookup of that host that is under way: at most one thread a
  /// name.
  void start(const std::string& host, Found found);
  Result<std::vector<std::string>> at_once(const std::string& host) const;

 private:
  struct Mailbox;
  static void perform(const std::shared_ptr<Mailbox>& mailbox, const std::string& host);
  void on_found(const std::string& host, const Result<std::vector<std::string>>& addresses);

  boost::asio::io_context& context_;
  std::shared_ptr<Mailbox> mailbox_;
  std::map<std::string, std::vector<Found>> waiting_;
};

}  // namespace quorate::io

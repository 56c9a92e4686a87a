#include "shell/io/name_lookup.h"

#include <fmt/format.h>
#include <netdb.h>
#include <sys/socket.h>

#include <algorithm>
#include <boost/asio/post.hpp>
#include <cerrno>
#include <cstring>
#include <mutex>
#include <system_error>
#include <thread>
#include <utility>

namespace quorate::io {

namespace {

std::string number_of(const addrinfo& address) {
  char text[NI_MAXHOST];
  const int code = getnameinfo(address.ai_addr, address.ai_addrlen, text, sizeof text, nullptr, 0, NI_NUMERICHOST);
  return code == 0 ? text : "";
}

}  // namespace

Result<std::vector<std::string>> look_up_by_system(const std::string& host) {
  addrinfo hints{};
  hints.ai_socktype = SOCK_STREAM;
  addrinfo* list = nullptr;
  if (const int code = getaddrinfo(host.c_str(), nullptr, &hints, &list); code != 0) {
    const bool known = code == EAI_NONAME || code == EAI_NODATA;
    const std::string why = code == EAI_SYSTEM ? std::generic_category().message(errno) : gai_strerror(code);
    return fail(known ? Fault::Invalid : Fault::Io, fmt::format("cannot resolve {}: {}", host, why));
  }
  const std::unique_ptr<addrinfo, decltype(&freeaddrinfo)> owned(list, freeaddrinfo);
  std::vector<std::string> addresses;
  for (const int family : {AF_INET, AF_INET6}) {
    for (const addrinfo* each = list; each != nullptr; each = each->ai_next) {
      if (each->ai_family == family) addresses.push_back(number_of(*each));
    }
  }
  return addresses;
}

bool is_number(const std::string& host) { return !parse_addresses({host}).empty(); }

std::vector<boost::asio::ip::address> parse_addresses(const std::vector<std::string>& texts) {
  std::vector<boost::asio::ip::address> addresses;
  for (const std::string& text : texts) {
    boost::system::error_code error;
    const auto address = boost::asio::ip::make_address(text, error);
    if (!error) addresses.push_back(address);
  }
  return addresses;
}

/// The lock keeps the loop there while something is posted to it.
struct NameLookup::Mailbox {
  Lookup lookup;
  std::mutex mutex;
  NameLookup* owner = nullptr;
};

NameLookup::NameLookup(boost::asio::io_context& context, Lookup lookup)
    : context_(context), mailbox_(std::make_shared<Mailbox>()) {
  mailbox_->lookup = std::move(lookup);
  mailbox_->owner = this;
}

NameLookup::~NameLookup() {
  const std::lock_guard lock(mailbox_->mutex);
  mailbox_->owner = nullptr;
}

void NameLookup::start(const std::string& host, Found found) {
  std::vector<Found>& waiting = waiting_[host];
  waiting.push_back(std::move(found));
  if (waiting.size() > 1) return;
  try {
    std::thread([mailbox = mailbox_, host] { perform(mailbox, host); }).detach();
  } catch (const std::system_error& error) {
    auto failed = fail(Fault::Io, fmt::format("cannot resolve {}: no thread: {}", host, error.what()));
    boost::asio::post(context_, [this, host, failed = std::move(failed)] { on_found(host, failed); });
  }
}

Result<std::vector<std::string>> NameLookup::at_once(const std::string& host) const { return mailbox_->lookup(host); }

void NameLookup::perform(const std::shared_ptr<Mailbox>& mailbox, const std::string& host) {
  auto addresses = mailbox->lookup(host);
  const std::lock_guard lock(mailbox->mutex);
  NameLookup* owner = mailbox->owner;
  if (owner == nullptr) return;
  boost::asio::post(owner->context_,
                    [owner, host, addresses = std::move(addresses)] { owner->on_found(host, addresses); });
}

void NameLookup::on_found(const std::string& host, const Result<std::vector<std::string>>& addresses) {
  const auto node = waiting_.extract(host);  // whoever is called may ask again
  for (const Found& found : node.mapped()) found(addresses);
}

}  // namespace quorate::io

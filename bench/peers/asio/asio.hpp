// What the Asio programs share. One io_context for one thread, and told so, which makes it leave its locks out.
#pragma once

#include "../../measure.h"

#include <utility>  // this Boost uses std::exchange in its coroutine headers without including it

#include <boost/asio.hpp>

namespace asio = boost::asio;

using Task = asio::awaitable<void>;

inline asio::io_context context(BOOST_ASIO_CONCURRENCY_HINT_UNSAFE);

// Waits without a deadline: a timer that never expires is what Asio has for an event.
using Event = asio::steady_timer;

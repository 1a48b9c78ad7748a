// A coroutine for each connection. Prints its port, serves until it is ended.
#include "asio.hpp"

using asio::ip::tcp;

static Task answer(tcp::socket connection)
{
    char bytes[2048];
    try {
        for (;;) {
            size_t size = co_await connection.async_read_some(asio::buffer(bytes), asio::use_awaitable);
            co_await asio::async_write(connection, asio::buffer(bytes, size), asio::use_awaitable);
        }
    } catch (const boost::system::system_error &) {
        // The client has left.
    }
}

static Task accept_all(tcp::acceptor listener)
{
    for (;;) {
        tcp::socket connection = co_await listener.async_accept(asio::use_awaitable);
        connection.set_option(tcp::no_delay(true));
        asio::co_spawn(context, answer(std::move(connection)), asio::detached);
    }
}

int main()
{
    tcp::acceptor listener(context, tcp::endpoint(asio::ip::address_v4::loopback(), 0));
    printf("%d\n", listener.local_endpoint().port());
    fflush(stdout);
    asio::co_spawn(context, accept_all(std::move(listener)), asio::detached);
    context.run();
}

/* Processor time of an echo server over TLS, for each request of 64 bytes: tls_echo REQUESTS. */
#define _GNU_SOURCE
#include "tls_server.h"

int main(int argc, char **argv)
{
    return tls_bench("tls_echo", tls_ask_echo, argument(argc, argv, 1, 200000));
}

/* Floor: processor time of a server for each full handshake (TLS 1.3, P-256) and one byte: tls_handshake HANDSHAKES. */
#define _GNU_SOURCE
#include "tls_server.h"

int main(int argc, char **argv)
{
    tls_bench("tls_handshake", tls_ask_handshakes, argument(argc, argv, 1, 5000));
}

/* The same addresses by inet_pton(3) alone. dns_numeric TIMES */
#include "../measure.h"

#include <arpa/inet.h>

int main(int argc, char **argv)
{
    long times = argument(argc, argv, 1, 5000000), sum = 0;
    struct in_addr v4;
    struct in6_addr v6;
    double started = wall_seconds();
    for (long i = 0; i < times; i++) {
        int rc = i & 1 ? inet_pton(AF_INET6, "2001:db8::17:1", &v6) : inet_pton(AF_INET, "192.0.2.17", &v4);
        sum += rc;
    }
    double seconds = wall_seconds() - started;
    return sum != times || print_result("dns_numeric", seconds * 1e9 / (double)times);
}

/* Floor of `log_line`: a reading of the date and the same line by snprintf, into memory that nobody writes out. */
#include "../measure.h"

static char text[512];

int main(int argc, char **argv)
{
    long lines = argument(argc, argv, 1, 200000), sizes = 0;
    double started = wall_seconds();
    for (long i = 0; i < lines; i++) {
        struct timespec now;
        clock_gettime(CLOCK_REALTIME, &now);
        sizes += snprintf(text, sizeof text,
                          "time=%ld.%06ld level=%s module=%s msg=\"%s\" customer=%s quantity=%ld took_ms=%ld.%03ld "
                          "request=\"%s\" trace_id=%s span_id=%s task=%s#%d\n",
                          (long)now.tv_sec, now.tv_nsec / 1000, "info", "bench", "order accepted", "ada", i, i / 1000,
                          i % 1000, "POST /orders", "4bf92f3577b34da6a3ce929d0e0e4736", "00f067aa0ba902b7", "measure",
                          1);
    }
    double seconds = wall_seconds() - started;
    return sizes < lines || print_result("log_line", seconds * 1e9 / (double)lines);
}

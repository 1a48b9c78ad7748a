/* A large file by the easy interface, thrown away as it comes. http_client_download PORT MEGABYTES */
#include <curl/curl.h>

#include "../../measure.h"

static size_t count_bytes(char *bytes, size_t size, size_t count, void *total)
{
    (void)bytes;
    *(long long *)total += (long long)(size * count);
    return size * count;
}

int main(int argc, char **argv)
{
    long port = argument(argc, argv, 1, 0), megabytes = argument(argc, argv, 2, 1024);
    char url[64], range[64];
    long long total = 0, wanted = (long long)megabytes << 20;
    CURL *handle = curl_easy_init();
    snprintf(url, sizeof url, "http://127.0.0.1:%ld/large/file", port);
    snprintf(range, sizeof range, "0-%lld", wanted - 1);
    curl_easy_setopt(handle, CURLOPT_URL, url);
    curl_easy_setopt(handle, CURLOPT_RANGE, range);
    curl_easy_setopt(handle, CURLOPT_WRITEFUNCTION, count_bytes);
    curl_easy_setopt(handle, CURLOPT_WRITEDATA, &total);
    double started = cpu_seconds();
    if (curl_easy_perform(handle) != CURLE_OK || total != wanted) return 1;
    return print_result("http_client_download", (cpu_seconds() - started) * 1e3);
}

/* 64 easy handles on one multi handle, asking for one text again and again. http_client_get PORT REQUESTS */
#include <curl/curl.h>

#include "../../measure.h"

enum { HANDLES = 64, WARM_UP = 640 };

static size_t throw_away(char *bytes, size_t size, size_t count, void *unused)
{
    (void)bytes, (void)unused;
    return size * count;
}

static int ask_all(CURLM *multi, CURL **handles, long requests)
{
    long asked = 0, answered = 0;
    int running, waiting;
    for (; asked < HANDLES; asked++) curl_multi_add_handle(multi, handles[asked]);
    while (answered < requests) {
        if (curl_multi_perform(multi, &running) != CURLM_OK) return -1;
        CURLMsg *message;
        while ((message = curl_multi_info_read(multi, &waiting)) != NULL) {
            CURL *handle = message->easy_handle;
            if (message->data.result != CURLE_OK) return -1;
            curl_multi_remove_handle(multi, handle);
            answered++;
            if (asked++ < requests) curl_multi_add_handle(multi, handle);
        }
        if (answered < requests && curl_multi_poll(multi, NULL, 0, 10000, NULL) != CURLM_OK) return -1;
    }
    return 0;
}

int main(int argc, char **argv)
{
    long port = argument(argc, argv, 1, 0), requests = argument(argc, argv, 2, 10000);
    char url[64];
    CURL *handles[HANDLES];
    CURLM *multi = curl_multi_init();
    snprintf(url, sizeof url, "http://127.0.0.1:%ld/plaintext", port);
    curl_multi_setopt(multi, CURLMOPT_MAXCONNECTS, (long)HANDLES);
    for (int i = 0; i < HANDLES; i++) {
        handles[i] = curl_easy_init();
        curl_easy_setopt(handles[i], CURLOPT_URL, url);
        curl_easy_setopt(handles[i], CURLOPT_WRITEFUNCTION, throw_away);
    }
    if (ask_all(multi, handles, WARM_UP) < 0) return 1;
    double started = cpu_seconds();
    if (ask_all(multi, handles, requests) < 0) return 1;
    return print_result("http_client_get", (cpu_seconds() - started) * 1e6 / (double)requests);
}

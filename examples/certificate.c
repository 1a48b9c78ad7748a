/*
 * A certificate inspector: connects, and prints what was agreed and who answers. With --ca FILE that file is trusted,
 * else what the system trusts; with --anybody a fault is shown too, and then the rest.
 *
 *     weft run examples/certificate.c [--ca FILE | --anybody] HOST PORT
 */
// weft: pkg-config weft-tls
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>
#include <weft/tls.h>
#include <weft/weft.h>

struct question {
    const char *host, *ca_file;
    uint16_t port;
    bool anybody;
};

static void print_date(const char *what, int64_t when_ns)
{
    time_t when = (time_t)(when_ns / WF_SECONDS(1));
    char text[32];
    struct tm parts;
    if (gmtime_r(&when, &parts) != NULL && strftime(text, sizeof text, "%Y-%m-%d", &parts) > 0)
        printf("    %s %s\n", what, text);
}

static void print_certificate(size_t number, const struct wf_tls_certificate *certificate)
{
    printf("%zu: %s\n    by %s\n", number, certificate->subject, certificate->issuer);
    for (const char *const *name = certificate->names; *name != NULL; name++) printf("    for %s\n", *name);
    print_date("from", certificate->not_before);
    print_date("until", certificate->not_after);
    printf("    key %s\n    sha256 %s\n", certificate->key, certificate->fingerprint);
}

static int print_peer(struct wf_stream *conn)
{
    struct wf_tls_info info;
    int rc = wf_tls_info(conn, wf_task_arena(), &info);
    if (rc < 0) return rc;
    printf("%s, %s, protocol: %s\n", info.version, info.cipher, info.alpn != NULL ? info.alpn : "none");
    for (size_t i = 0; i < info.chain_count; i++) print_certificate(i, &info.chain[i]);
    return 0;
}

static int look(const struct question *question, bool insecure)
{
    struct wf_tls_config *config;
    struct wf_stream *conn;
    int rc =
        wf_tls_client_create(&config, .ca_file = question->ca_file, .insecure = insecure, .alpn = {"h2", "http/1.1"});
    if (rc < 0) return rc;
    rc = wf_within(WF_SECONDS(5), wf_tls_dial(question->host, question->port, config, &conn));
    if (rc == 0) {
        rc = print_peer(conn);
        wf_shielded(WF_SECONDS(1), wf_stream_shutdown(conn));
        wf_stream_close(conn);
    }
    wf_tls_destroy(config);
    return rc;
}

static int inspect(const struct question *question)
{
    int rc = look(question, false);
    bool of_certificate = rc == -EKEYEXPIRED || rc == -EKEYREJECTED || rc == -EKEYREVOKED;
    if (!question->anybody || !of_certificate) return rc;
    printf("not to be trusted: %s\n", wf_failure());
    return look(question, true);
}

int main(int argc, char **argv)
{
    struct question question = {.anybody = argc == 4 && strcmp(argv[1], "--anybody") == 0};
    if (argc == 5 && strcmp(argv[1], "--ca") == 0) question.ca_file = argv[2];
    if (argc != 3 && !question.anybody && question.ca_file == NULL) {
        fprintf(stderr, "usage: %s [--ca FILE | --anybody] HOST PORT\n", argv[0]);
        return 2;
    }
    question.host = argv[argc - 2];
    question.port = (uint16_t)atoi(argv[argc - 1]);
    return wf_main(inspect, &question);
}

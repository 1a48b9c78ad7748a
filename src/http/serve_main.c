/* wf_serve_main: a server as a program, with options from its command line and environment. */
#define WF_LOG_MODULE "http"
#include <getopt.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <weft/app.h>
#include <weft/log.h>
#include <weft/loops.h>
#include <weft/service.h>
#include <weft/signal.h>
#include <weft/task.h>
#include <weft/time.h>
#include <weft/tls.h>

#include "http/restart.h"

struct settings {
    struct wf_app *app;
    char **argv;
    const char *host, *unix_path, *certificate, *key;
    long port;
    int threads;
    double grace;
    bool quiet, proxy_protocol, reuse_port;
    bool succeeded; /* by another process */
    struct wf_scope *serving;
};

static const struct option options[] = {
    {"host", required_argument, NULL, 'H'},    {"port", required_argument, NULL, 'p'},
    {"unix", required_argument, NULL, 'u'},    {"tls", required_argument, NULL, 't'},
    {"key", required_argument, NULL, 'k'},     {"proxy-protocol", no_argument, NULL, 'P'},
    {"threads", required_argument, NULL, 'n'}, {"reuse-port", no_argument, NULL, 'r'},
    {"grace", required_argument, NULL, 'g'},   {"quiet", no_argument, NULL, 'q'},
    {"access-log", no_argument, NULL, 'a'},    {"version", no_argument, NULL, 'V'},
    {"help", no_argument, NULL, 'h'},          {0},
};

static void write_help(FILE *file, const struct settings *settings, const char *program)
{
    fprintf(file,
            "usage: %s [options]\n"
            "%s%s\n"
            "  --host ADDRESS     listen there (HOST; default 127.0.0.1; \"*\": everywhere)\n"
            "  --port N           listen at this port (PORT; default 8000; 0: a free one)\n"
            "  --unix PATH        listen at a Unix socket instead\n"
            "  --threads N        serve with so many loops, each a thread (THREADS; default 1; 0: one per processor)\n"
            "  --reuse-port       each of them has a socket of its own at the port\n"
            "  --tls FILE         speak TLS with this certificate chain (PEM)\n"
            "  --key FILE         and this private key; default: in the same file\n"
            "                     SIGHUP reads both again\n"
            "  --proxy-protocol   each connection begins with a header of the PROXY protocol\n"
            "  --grace SECONDS    after SIGTERM, for what is under way (GRACE; default 30)\n"
            "  --access-log       a line for each request (ACCESS_LOG=1)\n"
            "  --quiet            no word about where it listens\n"
            "  --version          of the API\n"
            "  --help             this\n"
            "The words in capitals are the environment's; the command line wins. Sockets that systemd, or whoever\n"
            "started this, has opened (LISTEN_FDS) are taken in place of --host, --port and --unix.\n"
            "SIGTERM and SIGINT end it when all is answered, a second one at once. SIGUSR2 starts the program anew,\n"
            "with the same options and sockets: when that one listens, this one ends as by SIGTERM; else it stays.\n"
            "Exit status: 0 after such an end, 1 for a failure, 2 for wrong options, 128 + N for a signal N.\n",
            program, settings->app->title != NULL ? settings->app->title : "",
            settings->app->title != NULL ? "\n" : "");
}

static const char *environment(const char *name, const char *otherwise)
{
    const char *value = getenv(name);
    return value != NULL && value[0] != '\0' ? value : otherwise;
}

/* A number within bounds; -1 with a message when it is none. */
static double number(const char *what, const char *text, double max)
{
    char *end;
    double value = strtod(text, &end);
    if (end != text && *end == '\0' && value >= 0 && value <= max) return value;
    fprintf(stderr, "%s: \"%s\" is not a number from 0 to %g\n", what, text, max);
    return -1;
}

/* 0: go on; 1: done, with success; 2: a mistake. */
static int read_options(struct settings *settings, int argc, char **argv)
{
    const char *port = environment("PORT", "8000"), *grace = environment("GRACE", "30");
    const char *threads = environment("THREADS", "1");
    settings->host = environment("HOST", "127.0.0.1");
    if (strcmp(environment("ACCESS_LOG", "0"), "1") == 0) settings->app->access_log = true;
    optind = 1; /* it may not be the first command line that is read */
    int option;
    while ((option = getopt_long(argc, argv, "", options, NULL)) != -1) {
        switch (option) {
        case 'H':
            settings->host = optarg;
            break;
        case 'p':
            port = optarg;
            break;
        case 'u':
            settings->unix_path = optarg;
            break;
        case 't':
            settings->certificate = optarg;
            break;
        case 'k':
            settings->key = optarg;
            break;
        case 'g':
            grace = optarg;
            break;
        case 'n':
            threads = optarg;
            break;
        case 'r':
            settings->reuse_port = true;
            break;
        case 'a':
            settings->app->access_log = true;
            break;
        case 'P':
            settings->proxy_protocol = true;
            break;
        case 'q':
            settings->quiet = true;
            break;
        case 'V':
            puts(settings->app->version != NULL ? settings->app->version : "unknown");
            return 1;
        case 'h':
            write_help(stdout, settings, argv[0]);
            return 1;
        default:
            write_help(stderr, settings, argv[0]);
            return 2;
        }
    }
    if (optind < argc) {
        fprintf(stderr, "there is no argument \"%s\"\n", argv[optind]);
        return 2;
    }
    settings->port = (long)number("port", port, 65535);
    settings->grace = number("grace", grace, 86400);
    double loops = number("threads", threads, 256);
    settings->threads = loops > 0 ? (int)loops : WF_EVERY_CPU;
    return settings->port < 0 || settings->grace < 0 || loops < 0 ? 2 : 0;
}

static void say_where(struct wf_app *app, uint16_t port, void *argument)
{
    const struct settings *settings = argument;
    (void)app;
    restart_say_ready();
    wf_ignore(wf_notify_ready());
    if (settings->quiet) return;
    const char *scheme = settings->certificate != NULL ? "https" : "http";
    const char *host = strcmp(settings->host, "*") == 0 ? "localhost" : settings->host;
    if (settings->unix_path != NULL) printf("listening at unix:%s\n", settings->unix_path);
    else {
        bool bare = strchr(host, ':') == NULL; /* an IPv6 address goes into brackets */
        printf("listening at %s://%s%s%s:%u\n", scheme, bare ? "" : "[", host, bare ? "" : "]", port);
    }
    fflush(stdout);
}

/* Connections that exist keep the certificate that they have seen. */
static int reload_on_hangup(struct wf_tls_config *tls)
{
    const int hangup = SIGHUP;
    struct wf_signal_receiver *receiver;
    int rc = wf_signal_open(&hangup, 1, &receiver);
    if (rc < 0) return rc;
    while ((rc = wf_signal_wait(receiver)) > 0)
        if (wf_tls_reload(tls) < 0) wf_logf(WF_ERROR, "the certificate stays as it is: %s", wf_failure());
    wf_signal_close(receiver);
    return rc;
}

static int64_t grace_of(const struct settings *settings)
{
    int64_t grace = (int64_t)(settings->grace * 1e9);
    return grace > 0 ? grace : 1;
}

static int end_in_favour(struct settings *settings)
{
    settings->succeeded = true;
    wf_scope_drain(settings->serving);
    int rc = wf_sleep(grace_of(settings)); /* when all is answered before, this ends too */
    if (rc == 0) wf_scope_cancel(settings->serving, "the grace after a restart is over");
    return rc;
}

static int restart_on_signal(struct settings *settings)
{
    const int again = SIGUSR2;
    struct wf_signal_receiver *receiver;
    int rc = wf_signal_open(&again, 1, &receiver);
    if (rc < 0) return rc;
    while ((rc = wf_signal_wait(receiver)) > 0) {
        rc = restart_app(settings->app, settings->argv);
        if (rc == 0 || rc == -ECANCELED) break;
        wf_logf(WF_ERROR, "no successor, this process stays: %s", wf_failure());
    }
    wf_signal_close(receiver);
    return rc == 0 ? end_in_favour(settings) : rc;
}

static void say_stopping(const struct settings *settings)
{
    if (!settings->succeeded) wf_ignore(wf_notify_stopping()); /* else the service goes on */
}

static int serve_in(struct wf_scope *scope, struct settings *settings, struct wf_tls_config *tls)
{
    const char *host = strcmp(settings->host, "*") == 0 ? NULL : settings->host;
    int rc = wf_scope_on_drain(scope, say_stopping, settings);
    if (rc == 0 && tls != NULL) rc = wf_spawn(scope, reload_on_hangup, tls, .daemon = true, .name = "tls reload");
    if (rc == 0) rc = wf_spawn(scope, restart_on_signal, settings, .daemon = true, .name = "restart");
    if (rc == 0) rc = wf_notify_watchdog(scope);
    if (rc < 0) return rc;
    bool inherited = wf_inherited_count() > 0, at_unix = !inherited && settings->unix_path != NULL;
    return wf_serve(settings->app, .host = host, .port = (uint16_t)settings->port, .inherited = inherited,
                    .unix_path = at_unix ? settings->unix_path : NULL, .tls = tls, .spread = wf_loops_count() > 1,
                    .reuse_port = settings->reuse_port && !inherited && !at_unix,
                    .proxy_protocol = settings->proxy_protocol, .listening = say_where, .listening_arg = settings);
}

static int serve_over_tls(struct settings *settings, struct wf_tls_config *tls)
{
    WF_SCOPE(scope);
    settings->serving = &scope;
    return wf_scope_end(&scope, serve_in(&scope, settings, tls));
}

static int serve_as_told(struct settings *settings)
{
    struct wf_tls_config *tls = NULL;
    int rc = 0;
    if (settings->certificate != NULL) {
        const char *key = settings->key != NULL ? settings->key : settings->certificate;
        struct wf_tls_identity identity = {.certificate_file = settings->certificate, .key_file = key};
        rc = wf_tls_server_create(&tls, .identity = identity, .alpn = {"h2", "http/1.1"});
    }
    if (rc == 0) rc = serve_over_tls(settings, tls);
    wf_tls_destroy(tls);
    return rc;
}

int wf_serve_main(struct wf_app *app, int argc, char **argv)
{
    struct settings settings = {.app = app, .argv = argv};
    int told = read_options(&settings, argc, argv);
    int status = told - 1;
    if (told == 0)
        status = wf_main(serve_as_told, &settings, .signals = true, .threads = settings.threads,
                         .grace = grace_of(&settings));
    wf_app_finish(app);
    return told == 2 ? 2 : status;
}

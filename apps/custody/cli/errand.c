/* Commands as clients: a loop with a client in it, signals, and what is said when a call fails. */
#include "errand.h"

#include <stdlib.h>
#include <string.h>
#include <time.h>
#include <unistd.h>
#include <weft/log.h>
#include <weft/weft.h>

enum { TOKEN_MAX = 16384 };

/* ---- The token ---- */

/* Secrets are better in files than on a command line, which everybody on the machine can see. */
static const char *load_token(const char *text)
{
    static char token[TOKEN_MAX];
    if (text == NULL || text[0] != '@') return text;
    FILE *file = fopen(text + 1, "re");
    size_t size = file != NULL ? fread(token, 1, sizeof token - 1, file) : 0;
    if (file != NULL) fclose(file);
    token[size] = '\0';
    token[strcspn(token, "\r\n")] = '\0';
    return size > 0 ? token : NULL;
}

/* ---- Running ---- */

struct running {
    struct errand *errand;
    int (*body)(struct errand *errand);
};

static int run_with_client(struct running *running)
{
    struct errand *errand = running->errand;
    CUSTODY_CLIENT(client, .base_url = errand->url, .token = errand->token);
    errand->client = &client;
    int rc = running->body(errand);
    errand->client = NULL;
    if (rc < 0 && errand->status == 0) errand->status = 1;
    return rc;
}

int run_errand(struct errand *errand, int (*body)(struct errand *errand))
{
    const char *token = load_token(errand->token);
    if (errand->token != NULL && token == NULL) {
        fprintf(stderr, "custody: %s: cannot read a token from %s\n", errand->command, errand->token + 1);
        return 2;
    }
    errand->token = token;
    wf_ignore(wf_log_set_level("retry", WF_OFF));
    struct running running = {errand, body};
    int rc = wf_run(run_with_client, &running, .signals = true);
    if (rc == -ECANCELED) return wf_exit_status(rc);
    if ((fflush(stdout) != 0 || ferror(stdout)) && errand->status == 0) errand->status = 1;
    return errand->status;
}

/* ---- What is said ---- */

const char *explain(struct wf_arena *arena, const char *about)
{
    const struct custody_error *error = custody_error();
    size_t size = about != NULL ? strlen(about) : 0;
    bool named = size == 0 || strncmp(error->message, about, size) == 0;
    const char *id = error->request_id[0] != '\0' ? error->request_id : NULL;
    const char *text = wf_arena_printf(arena, "%s%s%s%s%s%s", named ? "" : about, named ? "" : ": ", error->message,
                                       id != NULL ? " (request " : "", id != NULL ? id : "", id != NULL ? ")" : "");
    return text != NULL ? text : error->message;
}

int complain(struct errand *errand, const char *about, int rc)
{
    if (wf_cancelled()) return rc;
    fprintf(stderr, "custody: %s: %s\n", errand->command, explain(wf_task_arena(), about));
    errand->status = 1;
    return rc;
}

bool print_json(const struct wf_model *model, const void *value)
{
    struct wf_arena arena;
    struct wf_json_writer writer;
    const char *text;
    wf_arena_init(&arena);
    wf_json_writer_init(&writer, &arena, 0);
    int rc = wf_model_write(model, value, &writer);
    if (rc >= 0) rc = wf_json_write_end(&writer, &text, NULL);
    bool read = rc >= 0 && puts(text) >= 0 && fflush(stdout) == 0;
    wf_arena_finish(&arena);
    return read;
}

static bool has_colours(void)
{
    static int known = -1;
    if (known >= 0) return known > 0;
    const char *never = getenv("NO_COLOR"), *terminal = getenv("TERM");
    bool wanted = never == NULL || never[0] == '\0';
    known = wanted && isatty(STDOUT_FILENO) && terminal != NULL && strcmp(terminal, "dumb") != 0;
    return known > 0;
}

const char *paint(enum colour colour)
{
    static const char *const codes[] = {"\033[0m", "\033[32m", "\033[33m", "\033[31m", "\033[1m"};
    return has_colours() ? codes[colour] : "";
}

const char *show_time(int64_t at, char text[TIME_TEXT])
{
    time_t seconds = (time_t)(at / WF_SECONDS(1));
    struct tm parts;
    if (gmtime_r(&seconds, &parts) == NULL || strftime(text, TIME_TEXT, "%Y-%m-%d %H:%M:%S", &parts) == 0)
        text[0] = '\0';
    return text;
}

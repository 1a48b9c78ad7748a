/* custody check: are vehicles releasable? Some at once, rows in the order of the command line. */
#include <stdlib.h>
#include <string.h>
#include <sys/ioctl.h>
#include <unistd.h>
#include <weft/weft.h>

#include "commands.h"
#include "errand.h"

enum { AT_ONCE = 10, AT_ONCE_MAX = 1000, VINS_MAX = 1000000, LINE_MAX_ = 256, BAR = 30 };

#define FRAME WF_MILLISECONDS(100)

static const char help[] =
    "usage: custody check [OPTIONS] VIN...\n\n"
    "Asks whether vehicles are releasable, and prints a row for each, in their order; \"-\": more of them are on\n"
    "standard input, one in each line.\n\n"
    "  --file FILE           more of them are in that file\n"
    "  --limit N             so many calls at once (10)\n"
    "  --cached              the answers of earlier checks\n"
    "  --batch               500 in one call\n"
    "  --quiet               no progress on the terminal\n" ERRAND_HELP
    "\nExit status: 0, 1 when some could not be checked, 2 for a wrong command line, 130 after Ctrl-C.\n";

struct check {
    struct checking *all;
    const char *vin;
    struct custody_batch_row row;
    struct wf_arena arena; /* of the row, until it is printed */
    bool done;
};

struct checking {
    struct errand *errand;
    struct check *checks;
    size_t count, room, finished, printed, failed;
    int limit;
    bool cached, batch, terminal;
    int64_t drawn_at;
};

/* ---- Progress ---- */

static void erase_bar(const struct checking *all)
{
    if (all->terminal) fputs("\r\033[K", stderr);
}

static void draw_bar(struct checking *all)
{
    char bar[BAR + 1];
    int64_t now = wf_now();
    if (!all->terminal || now - all->drawn_at < FRAME) return;
    all->drawn_at = now;
    size_t filled = all->finished * BAR / all->count;
    for (size_t i = 0; i < BAR; i++) bar[i] = i < filled ? '#' : '.';
    bar[BAR] = '\0';
    fprintf(stderr, "\r\033[K[%s] %zu of %zu", bar, all->finished, all->count);
}

/* ---- Rows ---- */

static void print_result(const struct custody_releasability *result)
{
    const char *before = "  ";
    for (size_t i = 0; i < result->blockers.count; i++, before = ", ")
        printf("%s%s", before, result->blockers.items[i].code);
    if (result->cached) printf("%s%.0f s ago", before, result->age_s);
}

static bool print_row(const struct custody_batch_row *row)
{
    const char *word = !row->ok ? "error" : row->result.is_releasable ? "yes" : "no";
    enum colour colour = !row->ok ? RED : row->result.is_releasable ? GREEN : YELLOW;
    bool alone = row->ok && row->result.blockers.count == 0 && !row->result.cached;
    printf("%-17s  %s%-*s%s", row->vin, paint(colour), alone ? 0 : 10, word, paint(PLAIN));
    if (row->ok) print_result(&row->result);
    else printf("  %s", row->error.code);
    return puts("") >= 0 && fflush(stdout) == 0;
}

/* Why it failed goes where messages go, the row where rows go. */
static bool show(struct checking *all, struct check *check)
{
    const struct custody_batch_row *row = &check->row;
    if (!row->ok) {
        all->failed++;
        fprintf(stderr, "custody: check: %s\n", row->error.message);
    }
    bool read = all->errand->json ? print_json(&custody_batch_row_model, row) : print_row(row);
    wf_arena_finish(&check->arena);
    return read;
}

/* Those that are done, and whose turn it is. */
static int show_done(struct checking *all)
{
    bool read = true;
    erase_bar(all);
    for (; read && all->printed < all->count && all->checks[all->printed].done; all->printed++)
        read = show(all, &all->checks[all->printed]);
    all->drawn_at = 0;
    draw_bar(all);
    return read ? 0 : -EPIPE;
}

/* ---- Calls ---- */

static const char *name_failure(void)
{
    const struct custody_error *error = custody_error();
    return error->code[0] != '\0' ? error->code : custody_error_name(error->kind);
}

/* A row for what the task's last error says. */
static void note_failure(struct check *check, const char *code, const char *message)
{
    const char *kept = wf_arena_strdup(&check->arena, message), *word = wf_arena_strdup(&check->arena, code);
    check->row = (struct custody_batch_row){.vin = check->vin, .has = {.error = true}};
    check->row.error.code = word != NULL ? word : "error";
    check->row.error.message = kept != NULL ? kept : "out of memory";
}

static int finish(struct check *check)
{
    struct checking *all = check->all;
    check->done = true;
    all->finished++;
    return check == &all->checks[all->printed] ? show_done(all) : (draw_bar(all), 0);
}

static int ask(struct check *check, struct custody_releasability *result)
{
    struct errand *errand = check->all->errand;
    if (check->all->cached) return custody_get_cached(errand->client, &check->arena, check->vin, result);
    return custody_check_vin(errand->client, &check->arena, check->vin, result);
}

static int check_one(struct check *check)
{
    int rc = CALL(check->all->errand, ask(check, &check->row.result));
    if (wf_cancelled()) return rc;
    check->row.vin = check->vin;
    check->row.ok = check->row.has.result = rc == 0;
    if (rc < 0) note_failure(check, name_failure(), explain(wf_task_arena(), check->vin));
    return finish(check);
}

/* Rows of a batch are printed at once, while its arena lasts. */
static int note_batch(struct check *checks, size_t count, int code, const struct custody_batch_row *rows)
{
    int rc = 0;
    for (size_t i = 0; i < count && rc == 0; i++) {
        if (code == 0) checks[i].row = rows[i];
        else note_failure(&checks[i], name_failure(), explain(wf_task_arena(), checks[i].vin));
        rc = finish(&checks[i]);
    }
    return rc;
}

static int check_batch(struct checking *all, struct check *checks, size_t count)
{
    struct wf_arena arena;
    wf_arena_init(&arena);
    struct custody_batch_row *rows = wf_arena_array(&arena, count, sizeof *rows);
    const char **vins = wf_arena_array(&arena, count, sizeof *vins);
    int rc = rows != NULL && vins != NULL ? 0 : -ENOMEM;
    for (size_t i = 0; i < count && rc == 0; i++) vins[i] = checks[i].vin;
    if (rc == 0) rc = CALL(all->errand, custody_check_batch(all->errand->client, &arena, vins, count, rows));
    if (!wf_cancelled()) rc = note_batch(checks, count, rc, rows);
    wf_arena_finish(&arena);
    return rc;
}

static int check_all(struct errand *errand)
{
    struct checking *all = errand->own;
    int rc = 0;
    if (!errand->json) printf("%s%-17s  %-10s  %s%s\n", paint(BOLD), "VIN", "RELEASABLE", "BLOCKERS", paint(PLAIN));
    fflush(stdout);
    if (!all->batch) rc = wf_gather(all->checks, all->count, check_one, .limit = (uint32_t)all->limit);
    for (size_t i = 0; all->batch && i < all->count && rc == 0; i += CUSTODY_BATCH_MAX) {
        size_t left = all->count - i;
        rc = check_batch(all, &all->checks[i], left < CUSTODY_BATCH_MAX ? left : CUSTODY_BATCH_MAX);
    }
    erase_bar(all);
    for (size_t i = all->printed; i < all->count; i++) wf_arena_finish(&all->checks[i].arena);
    if (all->terminal && all->failed > 0)
        fprintf(stderr, "custody: check: %zu of %zu could not be checked\n", all->failed, all->count);
    if (all->failed > 0) errand->status = 1;
    return rc;
}

/* ---- The command line ---- */

static bool add_vin(struct checking *all, const char *vin)
{
    if (all->count == all->room) {
        size_t room = all->room > 0 ? 2 * all->room : 64;
        struct check *larger = room <= VINS_MAX ? realloc(all->checks, room * sizeof *larger) : NULL;
        if (larger == NULL) return false;
        all->checks = larger;
        all->room = room;
    }
    all->checks[all->count++] = (struct check){.all = all, .vin = vin};
    return true;
}

/* One in each line; what is around it, and empty lines, do not count. */
static bool add_lines(struct checking *all, FILE *file)
{
    char line[LINE_MAX_];
    bool good = true;
    while (good && fgets(line, sizeof line, file) != NULL) {
        char *vin = line + strspn(line, " \t"), *copy;
        vin[strcspn(vin, " \t\r\n")] = '\0';
        if (vin[0] == '\0') continue;
        copy = strdup(vin);
        good = copy != NULL && add_vin(all, copy);
    }
    return good && !ferror(file);
}

static bool add_file(struct checking *all, const char *path)
{
    FILE *file = fopen(path, "re");
    bool good = file != NULL && add_lines(all, file);
    if (file != NULL) fclose(file);
    return good;
}

int run_check(int argc, char **argv)
{
    bool quiet = false;
    const char *path = NULL;
    static struct checking all = {.limit = AT_ONCE}; /* for as long as the program */
    struct errand errand = {.command = "check", .timeout_s = TIMEOUT_S, .own = &all};
    const struct option_rule rules[] = {{"file", OPTION_TEXT, &path, 0, 0},
                                        {"limit", OPTION_NUMBER, &all.limit, 1, AT_ONCE_MAX},
                                        {"cached", OPTION_FLAG, &all.cached, 0, 0},
                                        {"batch", OPTION_FLAG, &all.batch, 0, 0},
                                        {"quiet", OPTION_FLAG, &quiet, 0, 0},
                                        ERRAND_RULES(&errand)};
    int status = read_arguments(argc, argv, help, rules, &errand.words);
    if (status >= 0) return status;
    if (all.batch && all.cached) return refuse_usage(argv[0], "--batch and --cached do not go together");
    for (size_t i = 0; i < errand.words.count; i++) {
        const char *word = errand.words.list[i];
        bool good = strcmp(word, "-") == 0 ? add_lines(&all, stdin) : add_vin(&all, word);
        if (!good) return refuse_usage(argv[0], "cannot read standard input");
    }
    if (path != NULL && !add_file(&all, path)) return refuse_usage(argv[0], "cannot read \"%s\"", path);
    if (all.count == 0) return refuse_usage(argv[0], "no VIN is given");
    all.errand = &errand;
    all.terminal = !quiet && isatty(STDERR_FILENO);
    return run_errand(&errand, check_all);
}

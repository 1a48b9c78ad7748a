/*
 * Programs for tests of processes: the system's own, and in a simulated world functions that do the same. What `sh -c`
 * is given there is not understood but looked up.
 */
#ifndef TESTS_OS_PROGRAMS_H
#define TESTS_OS_PROGRAMS_H

#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <weft/sim.h>
#include <weft/testing.h>
#include <weft/weft.h>

#define PROGRAM(...) ((const char *const[]){__VA_ARGS__, NULL})
#define SHELL(text) PROGRAM("sh", "-c", text)

static inline int print(struct wf_stream *stream, const char *text)
{
    return wf_stream_write_all(stream, text, strlen(text), NULL);
}

/* ---- Filters ---- */

static inline int be_cat(struct wf_sim_process *self)
{
    return wf_stream_copy(self->input, self->output, UINT64_MAX, NULL);
}

static inline int be_true(struct wf_sim_process *self)
{
    (void)self;
    return 0;
}

static inline int be_yes(struct wf_sim_process *self)
{
    int rc = 0;
    while (rc == 0) rc = print(self->output, "y\n");
    return rc;
}

static inline int be_sleep(struct wf_sim_process *self)
{
    return wf_sleep(WF_SECONDS(atoi(self->argv[1])));
}

static inline int be_pwd(struct wf_sim_process *self)
{
    char text[256];
    snprintf(text, sizeof text, "%s\n", self->directory != NULL ? self->directory : ".");
    return print(self->output, text);
}

/* Gives 1 with a line, without its end; 0 at the end. */
static inline int read_line(struct wf_sim_process *self, char line[64])
{
    size_t size = 0;
    ssize_t got;
    while ((got = wf_stream_read(self->input, line + size, 1)) == 1 && line[size] != '\n' && size < 62) size++;
    line[size] = '\0';
    return (int)got;
}

static inline int be_grep(struct wf_sim_process *self)
{
    char line[64];
    int rc;
    while ((rc = read_line(self, line)) == 1) {
        if (strstr(line, self->argv[1]) == NULL) continue;
        strcat(line, "\n");
        rc = print(self->output, line);
        if (rc < 0) break;
    }
    return rc;
}

static inline int be_wc(struct wf_sim_process *self)
{
    char line[64];
    int rc, count = 0;
    while ((rc = read_line(self, line)) == 1) count++;
    snprintf(line, sizeof line, "%d\n", count);
    return rc < 0 ? rc : print(self->output, line);
}

/* ---- What the shell is told ---- */

static inline int cat_and_complain(struct wf_sim_process *self)
{
    int rc = be_cat(self);
    if (rc == 0) rc = print(self->error, "oops\n");
    return rc < 0 ? rc : 3;
}

static inline int cat_and_fail(struct wf_sim_process *self)
{
    int rc = be_cat(self);
    return rc < 0 ? rc : 4;
}

static inline int fail(struct wf_sim_process *self)
{
    (void)self;
    return 3;
}

static inline int crash(struct wf_sim_process *self)
{
    (void)self;
    return wf_sim_raise(SIGSEGV);
}

static inline int print_colour(struct wf_sim_process *self)
{
    int rc = 0;
    for (size_t i = 0; self->environment[i] != NULL && rc == 0; i++)
        if (strncmp(self->environment[i], "COLOUR=", 7) == 0) rc = print(self->output, self->environment[i] + 7);
    return rc < 0 ? rc : print(self->output, "\n");
}

static inline int double_lines(struct wf_sim_process *self)
{
    char line[64], doubled[160];
    int rc;
    while ((rc = read_line(self, line)) == 1) {
        snprintf(doubled, sizeof doubled, "%s-%s\n", line, line);
        rc = print(self->output, doubled);
        if (rc < 0) break;
    }
    return rc;
}

static inline int print_to_both(struct wf_sim_process *self)
{
    int rc = print(self->output, "one\n");
    return rc < 0 ? rc : print(self->error, "two\n");
}

static inline int ignore_term(struct wf_sim_process *self)
{
    struct wf_signal_receiver *receiver;
    const int number = SIGTERM;
    int rc = wf_signal_open(&number, 1, &receiver);
    if (rc < 0) return rc;
    rc = print(self->output, "x\n");
    if (rc == 0) rc = wf_sleep(WF_FOREVER);
    wf_signal_close(receiver);
    return rc;
}

static inline int print_numbers(struct wf_sim_process *self)
{
    char line[16];
    int rc = 0;
    for (int i = 1; i <= 100 && rc == 0; i++) {
        snprintf(line, sizeof line, "%d\n", i);
        rc = print(self->output, line);
    }
    return rc;
}

static const struct shell_script {
    const char *text;
    int (*main)(struct wf_sim_process *self);
} shell_scripts[] = {
    {"cat; echo oops >&2; exit 3", cat_and_complain},
    {"cat; exit 4", cat_and_fail},
    {"exit 3", fail},
    {"kill -SEGV $$", crash},
    {"echo $COLOUR", print_colour},
    {"while read x; do echo $x-$x; done", double_lines},
    {"echo one; echo two >&2", print_to_both},
    {"trap '' TERM; echo x; while :; do sleep 1; done", ignore_term},
    {"seq 100", print_numbers},
};

static inline int be_shell(struct wf_sim_process *self)
{
    for (size_t i = 0; i < WF_COUNT(shell_scripts); i++)
        if (strcmp(self->argv[2], shell_scripts[i].text) == 0) return shell_scripts[i].main(self);
    return 127;
}

static const struct shell_script all_programs[] = {
    {"cat", be_cat},   {"true", be_true}, {"yes", be_yes}, {"sleep", be_sleep},
    {"grep", be_grep}, {"pwd", be_pwd},   {"wc", be_wc},   {"sh", be_shell},
};

/* They are there. */
static inline bool have_programs(void)
{
    int rc = 0;
    for (size_t i = 0; i < WF_COUNT(all_programs) && rc == 0 && wf_simulated(); i++)
        rc = wf_sim_set_program(all_programs[i].text, .main = all_programs[i].main);
    return WF_EXPECT_CODE(rc, 0);
}

#endif

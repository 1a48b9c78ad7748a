/*
 * Names and their addresses: all at once, each with a deadline of its own. What is numeric is there at once; names are
 * asked of the system, on threads of their own.
 *
 *     weft run examples/resolve.c www.example.org localhost 127.0.0.1
 */
#include <stdio.h>
#include <string.h>
#include <weft/weft.h>

struct question {
    const char *host;
    char answer[512];
};

static int look_up(struct question *question, struct wf_arena *arena)
{
    const struct wf_address *addresses;
    int count = wf_resolve(question->host, 0, arena, &addresses);
    if (count < 0) return count;
    char text[WF_ADDRESS_TEXT];
    size_t used = 0;
    for (int i = 0; i < count; i++) {
        int size = snprintf(question->answer + used, sizeof question->answer - used, " %s",
                            wf_address_text(&addresses[i], text));
        if (size < 0 || used + (size_t)size >= sizeof question->answer) break;
        used += (size_t)size;
    }
    return 0;
}

static int answer(struct question *question)
{
    struct wf_arena arena;
    wf_arena_init(&arena);
    int rc = wf_within(WF_SECONDS(5), look_up(question, &arena));
    if (rc < 0) snprintf(question->answer, sizeof question->answer, " %s", wf_failure());
    wf_arena_finish(&arena);
    return rc;
}

static int look_up_all(char **hosts)
{
    enum { QUESTIONS_MAX = 16 };
    static struct question questions[QUESTIONS_MAX];
    size_t count = 0;
    while (hosts[count] != NULL && count < QUESTIONS_MAX) {
        questions[count].host = hosts[count];
        count++;
    }
    int status[QUESTIONS_MAX];
    int rc = wf_gather(questions, count, answer, .collect = status);
    for (size_t i = 0; i < count; i++) printf("%s:%s\n", questions[i].host, questions[i].answer);
    return rc;
}

int main(int argc, char **argv)
{
    if (argc < 2) {
        fprintf(stderr, "usage: %s HOST...\n", argv[0]);
        return 2;
    }
    return wf_main(look_up_all, argv + 1);
}

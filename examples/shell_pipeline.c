// Runs programs one into the other, as a | b | c in a shell, and says how they ended.
//
//     weft run examples/shell_pipeline.c "seq 100" "grep 7" "wc -l"
//
// Each argument is a program and its words, without a shell. Ctrl-C, or a failure to start one, ends all of them.
#include <stdio.h>
#include <string.h>
#include <weft/weft.h>

enum { PROGRAMS_MAX = 16, WORDS_MAX = 32 };

struct pipeline {
    char **texts;
    size_t count;
    const char *words[PROGRAMS_MAX][WORDS_MAX + 1];
    const char *const *programs[PROGRAMS_MAX];
};

static void split(struct pipeline *pipeline, size_t number)
{
    size_t count = 0;
    char *rest;
    for (char *word = strtok_r(pipeline->texts[number], " ", &rest); word != NULL && count < WORDS_MAX;
         word = strtok_r(NULL, " ", &rest))
        pipeline->words[number][count++] = word;
    pipeline->programs[number] = pipeline->words[number];
}

static int run(struct pipeline *pipeline)
{
    for (size_t i = 0; i < pipeline->count; i++) split(pipeline, i);
    struct wf_process_result result;
    int rc = wf_process_pipeline(pipeline->programs, pipeline->count, wf_task_arena(), 0, &result);
    if (rc < 0) return rc;
    fwrite(result.output, 1, result.output_size, stdout);
    if (result.status.signal != 0) printf("a program was ended by signal %d\n", result.status.signal);
    else if (result.status.code != 0) printf("a program ended with status %d\n", result.status.code);
    else puts("every program ended with status 0");
    return 0;
}

int main(int argc, char **argv)
{
    static struct pipeline pipeline;
    pipeline.texts = argv + 1;
    pipeline.count = (size_t)argc - 1;
    if (pipeline.count > 0 && pipeline.count <= PROGRAMS_MAX) return wf_main(run, &pipeline, .signals = true);
    fputs("usage: shell_pipeline PROGRAM...\n", stderr);
    return 2;
}

// Reads and writes a model from C++: prints it, or what is wrong with it.
#include <cstdio>
#include <cstring>

#include "order.h"

static int show(wf_arena *arena, const char *text)
{
    event value = {};
    wf_problems problems;
    wf_json_writer writer;
    wf_problems_init(&problems, arena);
    wf_json_writer_init(&writer, arena, 0);
    int rc = wf_model_parse(&event_model, arena, text, strlen(text), &value, &problems);
    if (rc < 0) return std::printf("%s\n", problems.first != nullptr ? problems.first->message : wf_strerror(rc));
    if (value.which == &order_model) value.order.id++;
    wf_model_write(&event_model, &value, &writer);
    if ((rc = wf_json_write_end(&writer, &text, nullptr)) < 0) return rc;
    return std::printf("%s\n", text);
}

int main(int argc, char **argv)
{
    wf_arena arena;
    wf_arena_init(&arena);
    int rc = wf_model_check(&event_model);
    for (int i = 1; i < argc && rc >= 0; i++) rc = show(&arena, argv[i]);
    wf_arena_finish(&arena);
    return rc < 0;
}

/* Prints the description of the app of the tests, for validators; with options, serves it. */
#include <stdio.h>
#include <weft/json.h>
#include <weft/run.h>

#include "openapi_app.h"

static int print_document(struct wf_arena *arena)
{
    struct wf_app app, inner;
    struct wf_json_writer writer;
    const char *text = "";
    wf_json_writer_init(&writer, arena, 0);
    openapi_app(&app, &inner);
    int rc = wf_app_write_openapi(&app, &writer);
    if (rc == 0) rc = wf_json_write_end(&writer, &text, NULL);
    puts(text);
    wf_app_finish(&app);
    wf_app_finish(&inner);
    return rc;
}

static int serve(int argc, char **argv)
{
    struct wf_app app, inner;
    openapi_app(&app, &inner);
    int status = wf_serve_main(&app, argc, argv);
    wf_app_finish(&inner);
    return status;
}

int main(int argc, char **argv)
{
    if (argc > 1) return serve(argc, argv);
    struct wf_arena arena;
    wf_arena_init(&arena);
    int status = wf_main(print_document, &arena);
    wf_arena_finish(&arena);
    return status;
}

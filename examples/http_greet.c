/*
 * A path and a query with types: what is wrong with them is answered before the handler sees it.
 * Run it: weft run examples/http_greet.c --port 8000, then open http://127.0.0.1:8000/docs
 */
// weft: pkg-config weft-http
#include <weft/app.h>
#include <weft/model.h>

#define WHOM_MEMBERS(M) M(STRING, name, .max = 40, .example = "Ada")
WF_MODEL(whom, WHOM_MEMBERS)

#define HOW_MEMBERS(M)                                                                                                 \
    M(INT32, times, .min = 1, .max = 3, .preset = "1")                                                                 \
    M(ENUM, mood, .values = WF_VALUES("plain", "glad"), .preset = "plain")
WF_MODEL(how, HOW_MEMBERS)

#define GREETING_MEMBERS(M) M(LIST(STRING), lines)
WF_MODEL(greeting, GREETING_MEMBERS)

static int greet(struct wf_request *request)
{
    const struct whom *whom = wf_path_value(request);
    const struct how *how = wf_query_value(request);
    const char *lines[3], *end = how->mood == 1 ? "!" : ".";
    for (int i = 0; i < how->times; i++)
        lines[i] = wf_arena_printf(wf_request_arena(request), "Hello, %s%s", whom->name, end);
    struct greeting greeting = {.lines = {.items = lines, .count = (size_t)how->times}};
    return wf_reply(request, 200, &greeting_model, &greeting);
}

int main(int argc, char **argv)
{
    struct wf_app app = {.title = "Greetings"};
    wf_route(&app, WF_GET, "/greet/{name}", greet, .path = &whom_model, .query = &how_model,
             .response = &greeting_model);
    return wf_serve_main(&app, argc, argv);
}

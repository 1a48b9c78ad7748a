/*
 * Routes as a tree of segments.
 *
 *     /users                 root -- "users" [GET, POST]
 *     /users/{id}                      +-- {} [GET, PUT]
 *     /users/{id}/orders               |    +-- "orders" [GET]
 *     /orders/{id}:cancel      -- "orders" -- {}":cancel" [POST]
 *     /files/{path:rest}       -- "files" -- {rest} [GET]
 *
 * A fixed segment wins over a name with an ending, that over a name, a name over a rest; a branch that leads nowhere is
 * left for the next best.
 */
#include "http/app.h"

#include <string.h>

#include "http/grammar.h"

struct segment {
    struct segment *next;  /* a sibling with another text */
    struct segment *fixed; /* children by text */
    struct segment *ended; /* names, by the text behind them */
    struct segment *named, *rest;
    const char *text;
    size_t size;
    struct route *routes[WF_METHODS];
    unsigned methods; /* a bit for each */
};

enum { DEPTH_MAX = 32 };

/* ---- Adding ---- */

static struct segment *new_segment(struct wf_app_ *app, const char *text, size_t size)
{
    struct segment *segment = wf_arena_new(&app->arena, struct segment);
    if (segment == NULL) return NULL;
    segment->text = text;
    segment->size = size;
    return segment;
}

void router_init(struct wf_app_ *app)
{
    app->root = new_segment(app, "", 0);
    if (app->root == NULL) app_note_mistake(app, -ENOMEM, "out of memory");
}

static struct segment *child_of_text(struct wf_app_ *app, struct segment **children, const char *text, size_t size)
{
    for (struct segment *child = *children; child != NULL; child = child->next)
        if (child->size == size && memcmp(child->text, text, size) == 0) return child;
    struct segment *child = new_segment(app, text, size);
    if (child == NULL) return NULL;
    child->next = *children;
    return *children = child;
}

static struct segment *child_special(struct wf_app_ *app, struct segment **place)
{
    if (*place == NULL) *place = new_segment(app, "", 0);
    return *place;
}

static bool keep_name(struct wf_app_ *app, struct route *route, const char *text, size_t size)
{
    if (route->captures == CAPTURES_MAX) {
        app_note_mistake(app, -EINVAL, "the route \"%s\": more than %d names", route->pattern, CAPTURES_MAX);
        return false;
    }
    return (route->names[route->captures++] = wf_arena_strndup(&app->arena, text, size)) != NULL;
}

/* Behind an opening brace: "name}", "name}:ending", "name:rest}". */
static struct segment *add_name(struct wf_app_ *app, struct route *route, struct segment *at, const char *text,
                                size_t size, bool last)
{
    static const char rest_mark[] = ":rest}";
    size_t name_size = strcspn(text, ":}"), left = name_size < size ? size - name_size : 0;
    const char *behind = text + name_size;
    bool rest = left == sizeof rest_mark - 1 && memcmp(behind, rest_mark, left) == 0;
    bool ended = left > 2 && behind[0] == '}' && behind[1] == ':' && strcspn(behind + 1, "{}") >= left - 1;
    if (name_size == 0 || !(rest || ended || (left == 1 && behind[0] == '}'))) {
        app_note_mistake(app, -EINVAL,
                         "the route \"%s\": a name is {name}, {name}:ending or {name:rest}, as a whole segment",
                         route->pattern);
        return NULL;
    }
    if (rest && !last) {
        app_note_mistake(app, -EINVAL, "the route \"%s\": {name:rest} comes last", route->pattern);
        return NULL;
    }
    if (!keep_name(app, route, text, name_size)) return NULL;
    if (ended) return child_of_text(app, &at->ended, behind + 1, left - 1);
    return child_special(app, rest ? &at->rest : &at->named);
}

static struct segment *add_segment(struct wf_app_ *app, struct route *route, struct segment *at, const char *text,
                                   size_t size, bool last)
{
    if (size > 0 && text[0] == '{') return add_name(app, route, at, text + 1, size - 1, last);
    if (memchr(text, '{', size) != NULL || memchr(text, '}', size) != NULL) {
        app_note_mistake(app, -EINVAL, "the route \"%s\": a name begins a segment", route->pattern);
        return NULL;
    }
    return child_of_text(app, &at->fixed, text, size);
}

void router_add(struct wf_app_ *app, struct route *route)
{
    const char *at = route->pattern;
    if (at[0] != '/') {
        app_note_mistake(app, -EINVAL, "the route \"%s\" does not begin with /", at);
        return;
    }
    struct segment *segment = app->root;
    for (unsigned depth = 0; *at == '/'; depth++) {
        size_t size = strcspn(++at, "/");
        if (depth == DEPTH_MAX) {
            app_note_mistake(app, -EINVAL, "the route \"%s\" is more than %d deep", route->pattern, DEPTH_MAX);
            return;
        }
        segment = add_segment(app, route, segment, at, size, at[size] == '\0');
        if (segment == NULL) {
            app_note_mistake(app, -ENOMEM, "out of memory");
            return;
        }
        at += size;
    }
    if (segment->routes[route->method] != NULL) {
        app_note_mistake(app, -EEXIST, "%s %s is declared twice, at %s and at %s", wf_method_name(route->method),
                         route->pattern, segment->routes[route->method]->options.place_, route->options.place_);
        return;
    }
    segment->routes[route->method] = route;
    segment->methods |= 1U << route->method;
    if (route->method == WF_GET && !route->options.no_head) segment->methods |= 1U << WF_HEAD;
}

/* ---- Finding ---- */

struct found {
    const struct segment *segment;
    unsigned count;
    unsigned allowed; /* methods of all paths that match */
    enum wf_method method;
    const char *values[CAPTURES_MAX]; /* as they were sent; so many as are counted */
    size_t sizes[CAPTURES_MAX];
};

static bool is_the_one(struct found *found, const struct segment *segment)
{
    found->allowed |= segment->methods;
    if (segment->methods & (1U << found->method)) {
        found->segment = segment;
        return true;
    }
    return false;
}

/* A segment of a request, decoded where it is encoded: "%2F" is a character of a segment, not its end. */
static bool same(const struct segment *segment, const char *text, size_t size)
{
    if (segment->size == size && memcmp(segment->text, text, size) == 0) return true;
    if (size <= segment->size || memchr(text, '%', size) == NULL || size > 3 * segment->size) return false;
    char decoded[256];
    if (size >= sizeof decoded) return false;
    memcpy(decoded, text, size);
    return percent_decode(decoded, size, false) == (long)segment->size &&
           memcmp(decoded, segment->text, segment->size) == 0;
}

static bool search(struct found *found, const struct segment *at, const char *path);

/* A name takes `size` bytes of the path; `behind` is what follows the segment, NULL at the end. */
static bool capture(struct found *found, const struct segment *named, const char *path, size_t size, const char *behind)
{
    unsigned before = found->count;
    found->values[before] = path;
    found->sizes[before] = size;
    found->count = before + 1;
    if (behind == NULL ? is_the_one(found, named) : search(found, named, behind)) return true;
    found->count = before;
    return false;
}

static bool ends_so(const struct segment *ended, const char *path, size_t size)
{
    return size > ended->size && memcmp(path + size - ended->size, ended->text, ended->size) == 0;
}

/* `path` is behind a slash. The depth of the tree bounds the recursion. */
static bool search(struct found *found, const struct segment *at, const char *path)
{
    size_t size = (size_t)(strchrnul(path, '/') - path);
    const char *behind = path[size] == '\0' ? NULL : path + size + 1;
    for (const struct segment *child = at->fixed; child != NULL; child = child->next)
        if (same(child, path, size) && (behind == NULL ? is_the_one(found, child) : search(found, child, behind)))
            return true;
    for (const struct segment *child = at->ended; child != NULL; child = child->next)
        if (ends_so(child, path, size) && capture(found, child, path, size - child->size, behind)) return true;
    if (at->named != NULL && size > 0 && capture(found, at->named, path, size, behind)) return true;
    return at->rest != NULL && capture(found, at->rest, path, strlen(path), NULL);
}

static bool find(struct found *found, enum wf_method method, const struct segment *root, const char *path)
{
    found->count = found->allowed = 0;
    found->method = method;
    return search(found, root, path + 1);
}

/* False: what is encoded in one of them cannot be decoded. */
static bool keep_captures(struct wf_request *request, const struct route *route, const struct found *found)
{
    for (unsigned i = 0; i < found->count; i++) {
        if (!is_percent_encoded(found->values[i], found->sizes[i])) return false;
        request->captures[i] =
            (struct capture){.name = route->names[i], .value = found->values[i], .size = found->sizes[i]};
    }
    request->captured = found->count;
    return true;
}

const struct route *router_find(const struct wf_app *app, struct wf_request *request, const char *path,
                                unsigned *allowed)
{
    struct found found;
    *allowed = 0;
    if (path[0] != '/') return NULL;
    bool hit = find(&found, request->method, app->private_->root, path);
    *allowed = found.allowed;
    if (!hit) return NULL;
    const struct route *route = found.segment->routes[found.method];
    if (route == NULL) route = found.segment->routes[WF_GET]; /* HEAD, which has none of its own there */
    if (keep_captures(request, route, &found)) return route;
    *allowed = 0;
    return NULL;
}

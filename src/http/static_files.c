/* A folder of files, below a path. */
#include <fcntl.h>
#include <stdio.h>
#include <string.h>
#include <weft/file.h>
#include <weft/static_files.h>
#include <weft/task.h>

#include "http/app.h"
#include "http/encodings.h"
#include "http/file_reply.h"

struct folder {
    const char *path;
    struct wf_static_options options;
};

enum { SEGMENTS_MAX = 32 };

/* ---- Names ---- */

/* Segments that mean themselves; the last one may be empty: that is the folder itself. */
static bool is_below(const char *path, bool dotfiles)
{
    unsigned segments = 0;
    while (*path != '\0') {
        size_t size = strcspn(path, "/");
        if (size == 0 || ++segments > SEGMENTS_MAX) return false;
        bool dots = (size == 1 && path[0] == '.') || (size == 2 && path[0] == '.' && path[1] == '.');
        if (dots || (path[0] == '.' && !dotfiles)) return false;
        path += size;
        if (*path == '/') path++;
    }
    return true;
}

/* "%2F" would make one segment into two; the router has decoded it by now. */
static bool hides_a_slash(const struct wf_request *request)
{
    for (const char *at = request->path; (at = strchr(at, '%')) != NULL; at++)
        if (at[1] == '2' && (at[2] | 0x20) == 'f') return true;
    return false;
}

/* No segment but the last, which opening sees to, is a symbolic link. */
static int check_links(struct wf_arena *arena, const char *path, size_t folder_size)
{
    struct stat status;
    char *copy = wf_arena_strdup(arena, path);
    if (copy == NULL) return -ENOMEM;
    for (char *at = copy + folder_size + 1; (at = strchr(at, '/')) != NULL; at++) {
        *at = '\0';
        int rc = wf_lstat(copy, &status);
        *at = '/';
        if (rc < 0 || !S_ISDIR(status.st_mode)) return rc < 0 && rc != -ENOTDIR ? rc : -ENOENT;
        if (at[1] == '\0') break;
    }
    return 0;
}

static int open_below(struct wf_request *request, const struct folder *folder, const char *path, struct wf_file **file,
                      struct stat *status)
{
    int rc = folder->options.symlinks ? 0 : check_links(wf_request_arena(request), path, strlen(folder->path));
    return rc < 0 ? rc : file_reply_open(path, folder->options.symlinks ? 0 : O_NOFOLLOW, file, status);
}

/* ---- Answers ---- */

/* A sibling that is compressed already, in the way that the client likes best. */
static bool open_precompressed(struct wf_request *request, const struct folder *folder, const char *path,
                               struct wf_file **file, struct stat *status, const char **encoding)
{
    unsigned order[ENCODINGS];
    unsigned count = encodings_accepted(&request->headers, order);
    for (unsigned i = 0; i < count; i++) {
        const char *other = wf_arena_printf(wf_request_arena(request), "%s.%s", path, encodings[order[i]].ending);
        if (other == NULL || open_below(request, folder, other, file, status) < 0) continue;
        if (S_ISREG(status->st_mode)) {
            *encoding = encodings[order[i]].name;
            return true;
        }
        wf_file_close(*file);
    }
    return false;
}

static int reply_regular(struct wf_request *request, const struct folder *folder, const char *path,
                         struct wf_file *file, struct stat *status)
{
    struct wf_reply_file_options options = {.content_type = wf_media_type(path),
                                            .cache_control = folder->options.cache_control};
    struct wf_file *other = NULL;
    const char *encoding = NULL;
    if (!folder->options.precompressed) return file_reply(request, file, status, NULL, &options);
    int rc = wf_reply_header(request, "Vary", "Accept-Encoding");
    bool found = rc == 0 && open_precompressed(request, folder, path, &other, status, &encoding);
    if (rc == 0) rc = file_reply(request, found ? other : file, status, encoding, &options);
    if (found) wf_file_close(other);
    return rc;
}

/* Relative, so that it holds wherever the app is mounted, and behind whatever proxy. */
static int redirect_to_folder(struct wf_request *request)
{
    const char *slash = strrchr(request->path, '/');
    char *location = wf_arena_printf(wf_request_arena(request), "./%s/%s%s", slash != NULL ? slash + 1 : "",
                                     request->query != NULL ? "?" : "", request->query != NULL ? request->query : "");
    return location == NULL ? -ENOMEM : wf_reply_redirect(request, 307, location);
}

static int nothing_there(int rc)
{
    return rc == -ENOENT || rc == -EACCES || rc == -EPERM ? wf_fail(-ENOENT, "there is no such file") : rc;
}

static int reply_path(struct wf_request *request, const struct folder *folder, const char *path, bool asked_folder)
{
    struct wf_file *file;
    struct stat status;
    int rc = open_below(request, folder, path, &file, &status);
    if (rc < 0) return nothing_there(rc);
    if (S_ISREG(status.st_mode) && !asked_folder) rc = reply_regular(request, folder, path, file, &status);
    else if (S_ISDIR(status.st_mode) && !asked_folder) rc = redirect_to_folder(request);
    else rc = nothing_there(-ENOENT);
    wf_file_close(file);
    return rc;
}

static int serve_below(struct wf_request *request)
{
    const struct folder *folder = wf_request_arg(request);
    const char *rest = wf_path_text(request, "path");
    if (rest == NULL) return -ENOMEM;
    if (!is_below(rest, folder->options.dotfiles) || hides_a_slash(request)) return nothing_there(-ENOENT);
    size_t size = strlen(rest);
    bool asks_folder = size == 0 || rest[size - 1] == '/';
    const char *index = asks_folder ? folder->options.index : "";
    char *path = wf_arena_printf(wf_request_arena(request), "%s/%s%s", folder->path, rest, index);
    return path == NULL ? -ENOMEM : reply_path(request, folder, path, asks_folder && index[0] == '\0');
}

/* ---- Declaration ---- */

void wf_static_(struct wf_app *app, const char *prefix, const char *path, const struct wf_static_options *options)
{
    struct wf_app_ *private = app_private(app);
    if (private == NULL) return;
    size_t size = strlen(prefix);
    if (options->size != sizeof *options || path[0] == '\0' ||
        (size > 0 && (prefix[0] != '/' || prefix[size - 1] == '/')))
        return app_note_mistake(private, -EINVAL, "a folder is served below \"/path\", not \"%s\"", prefix);
    struct folder *folder = wf_arena_new(&private->arena, struct folder);
    char *pattern = wf_arena_printf(&private->arena, "%s/{path:rest}", prefix);
    char *copy = wf_arena_strdup(&private->arena, path);
    if (folder == NULL || pattern == NULL || copy == NULL) return app_note_mistake(private, -ENOMEM, "out of memory");
    size_t length = strlen(copy);
    while (length > 1 && copy[length - 1] == '/') copy[--length] = '\0';
    *folder = (struct folder){.path = copy, .options = *options};
    if (folder->options.index == NULL) folder->options.index = "index.html";
    wf_route(app, WF_GET, pattern, serve_below, .arg = folder, .hidden = true);
}

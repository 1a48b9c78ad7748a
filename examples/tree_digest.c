// Hashes every regular file of a tree, many at once, and shows how much faster that is than one after the other.
//
//     weft run examples/tree_digest.c [--once] [--list] DIR
//
// It shows a walk that spawns into a scope with a limit, work on threads (wf_offload) in pieces so small that Ctrl-C
// ends everything at once, and a daemon that draws the progress. --list prints what sha256sum would, and the digest at
// the end is the SHA-256 of that list. --once leaves out the passes that only the comparison needs.
// weft: pkg-config libcrypto
#include <openssl/evp.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>
#include <weft/weft.h>

enum { DIGEST = 32, CHUNK = 64 * 1024, PIECE = 1024 * 1024, AT_ONCE = 64 };

struct pass {
    const char *name, *root;
    bool plain;             // one file after the other on this thread, as a program without tasks does it
    struct wf_arena arena;  // of the files
    struct file **files;
    size_t count, done;
    int64_t bytes, took_ns;
};

struct file {
    struct pass *pass;
    const char *path;
    EVP_MD_CTX *context;
    int fd, error;
    int64_t size;
    unsigned char digest[DIGEST];
};

// Opens the file or goes on with it, for a millisecond or so. Returns 1 when there is more, 0 at the end.
static int hash_piece(struct file *file)
{
    static _Thread_local char chunk[CHUNK];
    if (file->fd < 0 && (file->fd = open(file->path, O_RDONLY | O_NOFOLLOW | O_CLOEXEC)) < 0) return -errno;
    for (int left = PIECE / CHUNK; left > 0; left--) {
        ssize_t got = read(file->fd, chunk, CHUNK);
        if (got < 0) return -errno;
        if (got == 0) return EVP_DigestFinal_ex(file->context, file->digest, NULL) == 1 ? 0 : -EIO;
        if (EVP_DigestUpdate(file->context, chunk, (size_t)got) != 1) return -EIO;
        file->size += got;
    }
    return 1;
}

static int digest_file(struct file *file)
{
    file->context = EVP_MD_CTX_new();
    int rc = file->context != NULL && EVP_DigestInit_ex(file->context, EVP_sha256(), NULL) == 1 ? 1 : -ENOMEM;
    while (rc > 0) {
        if (!file->pass->plain) rc = wf_offload(hash_piece, file);  // -ECANCELED after Ctrl-C
        else if ((rc = wf_yield()) == 0) rc = hash_piece(file);
    }
    EVP_MD_CTX_free(file->context);
    if (file->fd >= 0) close(file->fd);
    file->error = rc;
    file->pass->bytes += file->size;
    file->pass->done++;
    return rc == -ECANCELED ? rc : 0;
}

static struct file *add_file(struct pass *pass, const char *path, int error)
{
    if ((pass->count & (pass->count - 1)) == 0) {  // full at each power of two
        struct file **larger = realloc(pass->files, (pass->count * 2 + 1) * sizeof(struct file *));
        if (larger == NULL) return NULL;
        pass->files = larger;
    }
    struct file *file = wf_arena_new(&pass->arena, struct file);
    const char *copy = wf_arena_strdup(&pass->arena, path);
    if (file == NULL || copy == NULL) return NULL;
    *file = (struct file){.pass = pass, .path = copy, .fd = -1, .error = error};
    return pass->files[pass->count++] = file;
}

// The walk goes on while files are hashed; a spawn waits whenever AT_ONCE of them are under way.
static int hash_tree(struct pass *pass, struct wf_walk *walk)
{
    WF_SCOPE(scope, .limit = AT_ONCE);
    const struct wf_walk_entry *entry;
    int rc;
    while ((rc = wf_walk_next(walk, &entry)) > 0) {
        bool regular = S_ISREG(entry->status.st_mode);
        if (!regular && entry->error == 0) continue;
        struct file *file = add_file(pass, entry->path, entry->error);
        if (file == NULL) rc = -ENOMEM;
        else if (regular) rc = pass->plain ? digest_file(file) : wf_spawn(&scope, digest_file, file);
        if (rc < 0) break;
    }
    return wf_scope_end(&scope, rc);
}

static int draw_progress(struct pass *pass)  // a daemon: cancelled when the tree is done
{
    while (isatty(STDERR_FILENO) && wf_sleep(WF_MILLISECONDS(50)) == 0) {
        int filled = pass->count > 0 ? (int)(30 * pass->done / pass->count) : 0;
        fprintf(stderr, "\r%s [%.*s%*s] %zu files\033[K", pass->name, filled, "##############################",
                30 - filled, "", pass->done);
    }
    if (isatty(STDERR_FILENO)) fputs("\r\033[K", stderr);
    return 0;
}

static int by_path(const void *a, const void *b)
{
    return strcmp((*(struct file *const *)a)->path, (*(struct file *const *)b)->path);
}

static int run_pass(struct pass *pass)
{
    struct wf_walk *walk;
    int rc = wf_walk_open(pass->root, &walk);
    if (rc < 0) return rc;
    int64_t started = wf_now();
    WF_SCOPE(scope);
    wf_spawn(&scope, draw_progress, pass, .daemon = true);
    rc = wf_scope_end(&scope, hash_tree(pass, walk));
    pass->took_ns = wf_now() - started;
    wf_walk_close(walk);
    if (pass->count > 0) qsort(pass->files, pass->count, sizeof *pass->files, by_path);
    return rc;
}

// As sha256sum does: a name with a backslash or the end of a line is escaped, and marked by a backslash in front.
static void print_line(FILE *out, const unsigned char *digest, const char *path)
{
    if (strpbrk(path, "\\\n\r") != NULL) fputc('\\', out);
    for (int i = 0; i < DIGEST; i++) fprintf(out, "%02x", digest[i]);
    fputs("  ", out);
    for (; *path != '\0'; path++) {
        if (strchr("\\\n\r", *path) != NULL) fputc('\\', out);
        fputc(*path == '\n' ? 'n' : *path == '\r' ? 'r' : *path, out);
    }
    fputc('\n', out);
}

static int print_result(const struct pass *pass, bool list)
{
    char *text = NULL;
    size_t size = 0, unreadable = 0;
    FILE *lines = open_memstream(&text, &size);
    if (lines == NULL) return -ENOMEM;
    for (size_t i = 0; i < pass->count; i++) {
        const struct file *file = pass->files[i];
        if (file->error == 0) print_line(lines, file->digest, file->path);
        else fprintf(stderr, "%s: %s\n", file->path, wf_strerror(file->error));
        unreadable += file->error != 0;
    }
    unsigned char digest[DIGEST];
    int rc = fclose(lines) == 0 && EVP_Digest(text, size, digest, NULL, EVP_sha256(), NULL) == 1 ? 0 : -ENOMEM;
    FILE *summary = list ? stderr : stdout;  // the list is for other programs
    if (rc == 0 && list) fwrite(text, 1, size, stdout);
    if (rc == 0) {
        fprintf(summary, "%zu files, %.1f MB, %zu unreadable, in %.2f s (%.0f MB/s); the digest of all digests is\n",
                pass->count - unreadable, (double)pass->bytes / 1e6, unreadable, wf_seconds(pass->took_ns),
                (double)pass->bytes / 1e6 / wf_seconds(pass->took_ns));
        print_line(summary, digest, pass->root);
    }
    free(text);
    return rc;
}

struct request {
    const char *root;
    bool once, list;
};

static int show(const struct request *request)
{
    // The first pass only warms the page cache, so that the other two are measured alike.
    struct pass passes[] = {{.name = "warming up"}, {.name = "one by one", .plain = true}, {.name = "many at once"}};
    struct pass *last = &passes[2];
    int rc = 0;
    for (struct pass *pass = request->once ? last : passes; rc == 0 && pass <= last; pass++) {
        pass->root = request->root;
        rc = run_pass(pass);
    }
    if (rc == 0) rc = print_result(last, request->list);
    if (rc == 0 && !request->once)
        fprintf(request->list ? stderr : stdout, "one after the other: %.2f s; many at once is %.1f times as fast\n",
                wf_seconds(passes[1].took_ns), (double)passes[1].took_ns / (double)last->took_ns);
    for (size_t i = 0; i < WF_COUNT(passes); i++) {
        wf_arena_finish(&passes[i].arena);
        free(passes[i].files);
    }
    return rc;
}

int main(int argc, char **argv)
{
    struct request request = {.root = NULL};
    for (int i = 1; i < argc; i++) {
        if (strcmp(argv[i], "--once") == 0) request.once = true;
        else if (strcmp(argv[i], "--list") == 0) request.list = true;
        else request.root = argv[i];
    }
    if (request.root != NULL) return wf_main(show, &request, .signals = true);
    fputs("usage: tree_digest [--once] [--list] DIR\n", stderr);
    return 2;
}

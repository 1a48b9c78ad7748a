/*
 * A typed CRUD: books in memory, described once by models, which give checks, JSON, /openapi.json and /docs.
 * Run it: weft run examples/http_crud.c --port 8000
 */
// weft: pkg-config weft-http
#include <inttypes.h>
#include <stdlib.h>
#include <string.h>
#include <weft/app.h>
#include <weft/model.h>

#define BOOK_MEMBERS(M)                                                                                                \
    M(INT64, id, .read_only = true)                                                                                    \
    M(STRING, isbn, .pattern = "^[0-9]{13}$", .example = "9780131103627")                                              \
    M(STRING, title, .min = 1, .max = 200, .example = "The C Programming Language")                                    \
    M(INT32, year, .optional = true, .nullable = true, .min = 1450, .max = 2100, .example = "1988")
WF_MODEL(book, BOOK_MEMBERS, .unknown = WF_UNKNOWN_REFUSED)

#define CHANGE_MEMBERS(M)                                                                                              \
    M(STRING, title, .optional = true, .min = 1, .max = 200)                                                           \
    M(INT32, year, .optional = true, .nullable = true, .min = 1450, .max = 2100, .description = "null takes it away")
WF_MODEL(book_change, CHANGE_MEMBERS, .unknown = WF_UNKNOWN_REFUSED)

#define WHICH_MEMBERS(M) M(INT64, id, .min = 1)
WF_MODEL(which_book, WHICH_MEMBERS)

#define PAGE_MEMBERS(M)                                                                                                \
    M(INT32, limit, .min = 1, .max = 100, .preset = "20")                                                              \
    M(INT64, offset, .min = 0, .preset = "0")
WF_MODEL(page, PAGE_MEMBERS)

#define BOOKS_MEMBERS(M) M(LIST(MODEL(book)), items) M(INT64, total)
WF_MODEL(books, BOOKS_MEMBERS)

enum { BOOKS_MAX = 1000 };

struct shelf {
    struct book books[BOOKS_MAX]; /* their texts are the shelf's own */
    size_t count;
    int64_t last_id;
};

/* A text of the shelf's own, in the place of another; a failure changes nothing. */
static int keep(const char **place, const char *text)
{
    char *copy = text != NULL ? strdup(text) : NULL;
    if (text != NULL && copy == NULL) return -ENOMEM;
    free((void *)(uintptr_t)*place);
    *place = copy;
    return 0;
}

static void forget(struct book *book)
{
    keep(&book->isbn, NULL);
    keep(&book->title, NULL);
}

static struct book *find(struct wf_request *request)
{
    struct shelf *shelf = wf_request_state(request);
    const struct which_book *which = wf_path_value(request);
    for (size_t i = 0; i < shelf->count; i++)
        if (shelf->books[i].id == which->id) return &shelf->books[i];
    return NULL;
}

static int not_found(struct wf_request *request)
{
    const struct which_book *which = wf_path_value(request);
    return wf_http_error(request, 404, "there is no book %" PRId64, which->id);
}

static int list_books(struct wf_request *request)
{
    struct shelf *shelf = wf_request_state(request);
    const struct page *page = wf_query_value(request);
    size_t from = (size_t)page->offset < shelf->count ? (size_t)page->offset : shelf->count;
    size_t count = shelf->count - from < (size_t)page->limit ? shelf->count - from : (size_t)page->limit;
    struct books books = {.items = {.items = shelf->books + from, .count = count}, .total = (int64_t)shelf->count};
    return wf_reply(request, 200, &books_model, &books);
}

static int add_book(struct wf_request *request)
{
    struct shelf *shelf = wf_request_state(request);
    const struct book *book = wf_body_value(request);
    for (size_t i = 0; i < shelf->count; i++)
        if (strcmp(shelf->books[i].isbn, book->isbn) == 0)
            return wf_http_error(request, 409, "%s is book %" PRId64 " already", book->isbn, shelf->books[i].id);
    if (shelf->count == BOOKS_MAX) return wf_http_error(request, 503, "the shelf is full");
    struct book *added = &shelf->books[shelf->count];
    *added = (struct book){.id = shelf->last_id + 1, .year = book->year, .has.year = book->has.year};
    int rc = keep(&added->isbn, book->isbn);
    if (rc == 0) rc = keep(&added->title, book->title);
    if (rc < 0) return forget(added), rc;
    shelf->last_id++;
    shelf->count++;
    wf_reply_header(request, "Location", wf_arena_printf(wf_request_arena(request), "/books/%" PRId64, added->id));
    return wf_reply(request, 201, &book_model, added);
}

static int show_book(struct wf_request *request)
{
    const struct book *book = find(request);
    return book != NULL ? wf_reply(request, 200, &book_model, book) : not_found(request);
}

/* Only what came is changed; null is not the same as nothing. */
static int change_book(struct wf_request *request)
{
    struct book *book = find(request);
    const struct book_change *change = wf_body_value(request);
    if (book == NULL) return not_found(request);
    int rc = change->has.title ? keep(&book->title, change->title) : 0;
    if (rc < 0) return rc;
    if (change->has.year) book->year = change->year;
    if (change->has.year || change->null.year) book->has.year = change->has.year;
    return wf_reply(request, 200, &book_model, book);
}

static int remove_book(struct wf_request *request)
{
    struct shelf *shelf = wf_request_state(request);
    struct book *book = find(request);
    if (book == NULL) return not_found(request);
    forget(book);
    memmove(book, book + 1, (size_t)(shelf->books + --shelf->count - book) * sizeof *book);
    return wf_reply_empty(request, 204);
}

int main(int argc, char **argv)
{
    static struct shelf shelf;
    struct wf_app app = {.title = "Books", .version = "1.0", .description = "A shelf of books.", .state = &shelf};
    wf_route(&app, WF_GET, "/books", list_books, .query = &page_model, .response = &books_model, .tag = "books");
    wf_route(&app, WF_POST, "/books", add_book, .body = &book_model, .response = &book_model, .status = 201,
             .tag = "books");
    wf_route(&app, WF_GET, "/books/{id}", show_book, .path = &which_book_model, .response = &book_model,
             .tag = "books");
    wf_route(&app, WF_PATCH, "/books/{id}", change_book, .path = &which_book_model, .body = &book_change_model,
             .response = &book_model, .tag = "books");
    wf_route(&app, WF_DELETE, "/books/{id}", remove_book, .path = &which_book_model, .status = 204, .tag = "books");
    return wf_serve_main(&app, argc, argv);
}

/*
 * All authorizations as a source of items, page by page. Pages lie in two arenas, in turn, so that an item lasts until
 * the page behind the next is asked for. A call that is cut, or fails, loses nothing: the next one asks for the same
 * page.
 */
#include <string.h>
#include <weft/extend.h>

#include "client.h"

struct pages {
    struct custody_list_options options; /* its texts lie in `texts` */
    struct custody_client *client;
    struct wf_arena texts, arenas[2];
    unsigned turn; /* the arena of the page */
    struct custody_page page;
    size_t next; /* of its items */
    bool begun;
};

static struct custody_pages *handle_of(struct wf_iterator *iterator)
{
    return (struct custody_pages *)(void *)iterator;
}

static int ask_for_page(struct pages *pages)
{
    unsigned turn = 1 - pages->turn;
    struct custody_page page;
    const char *cursor = pages->begun ? pages->page.next_cursor : NULL;
    pages->options.cursor = cursor;
    wf_arena_reset(&pages->arenas[turn]);
    int rc = custody_list_authorizations_(pages->client, &pages->arenas[turn], &page, &pages->options);
    if (rc < 0) return rc;
    if (cursor != NULL && page.next_cursor != NULL && strcmp(cursor, page.next_cursor) == 0)
        return sdk_error_set(&(struct custody_error){.kind = CUSTODY_SERVER,
                                                     .rc = -EREMOTEIO,
                                                     .status = 200,
                                                     .message = "the service's pages go round in circles"});
    pages->page = page;
    pages->turn = turn;
    pages->next = 0;
    pages->begun = true;
    return 0;
}

static int next_item(struct wf_iterator *iterator, void *item)
{
    struct pages *pages = handle_of(iterator)->private_;
    if (pages == NULL) return handle_of(iterator)->failed_;
    int rc = wf_checkpoint();
    if (rc < 0) return rc;
    while (!pages->begun || pages->next == pages->page.authorizations.count) {
        if (pages->begun && pages->page.next_cursor == NULL) return 0;
        rc = ask_for_page(pages);
        if (rc < 0) return rc;
    }
    *(struct custody_authorization *)item = pages->page.authorizations.items[pages->next++];
    return 1;
}

static void close_iterator(struct wf_iterator *iterator)
{
    custody_pages_close(handle_of(iterator));
}

static const struct wf_iterator_class pages_class = {.next = next_item, .close = close_iterator};

static bool keep_texts(struct pages *pages, const struct custody_list_options *options)
{
    pages->options.vin = options->vin != NULL ? wf_arena_strdup(&pages->texts, options->vin) : NULL;
    pages->options.status = options->status != NULL ? wf_arena_strdup(&pages->texts, options->status) : NULL;
    return (options->vin == NULL) == (pages->options.vin == NULL) &&
           (options->status == NULL) == (pages->options.status == NULL);
}

void custody_pages_open_(struct custody_pages *handle, struct custody_client *client,
                         const struct custody_list_options *options)
{
    *handle =
        (struct custody_pages){.iterator = {&pages_class, sizeof(struct custody_authorization)}, .failed_ = -ENOMEM};
    struct pages *pages = wf_memory_alloc(sizeof *pages);
    if (pages == NULL) return;
    *pages = (struct pages){.options = *options, .client = client};
    wf_arena_init(&pages->texts);
    wf_arena_init(&pages->arenas[0]);
    wf_arena_init(&pages->arenas[1]);
    handle->private_ = pages;
    if (keep_texts(pages, options)) return;
    custody_pages_close(handle);
    handle->failed_ = -ENOMEM;
}

void custody_pages_close(struct custody_pages *handle)
{
    struct pages *pages = handle->private_;
    if (pages == NULL) return;
    handle->private_ = NULL;
    handle->failed_ = -EBADF;
    wf_arena_finish(&pages->texts);
    wf_arena_finish(&pages->arenas[0]);
    wf_arena_finish(&pages->arenas[1]);
    wf_memory_free(pages);
}

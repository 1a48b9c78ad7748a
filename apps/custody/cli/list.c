/* custody list, watch: authorizations, and what happens. */
#include <weft/weft.h>

#include "commands.h"
#include "errand.h"

static const char list_help[] = "usage: custody list [OPTIONS]\n\n"
                                "Prints authorizations, newest first.\n\n"
                                "  --vin VIN             of one vehicle\n"
                                "  --status STATUS       PENDING, APPROVED, USED, REJECTED, CANCELLED, EXPIRED\n"
                                "  --limit N             so many; with --all, in each call (50)\n"
                                "  --all                 all of them\n" ERRAND_HELP ERRAND_STATUS;

static const char watch_help[] =
    "usage: custody watch [OPTIONS]\n\n"
    "Prints events as they happen, until Ctrl-C; comes again where it was cut off.\n\n"
    "  --vin VIN             of one vehicle\n"
    "  --after ID            go on behind that event; 0: from the very first\n" ERRAND_HELP ERRAND_STATUS;

/* ---- Authorizations ---- */

struct listing {
    const char *vin, *status;
    int limit;
    bool all;
};

static bool print_item(const struct errand *errand, const struct custody_authorization *item)
{
    char created[TIME_TEXT];
    if (errand->json) return print_json(&custody_authorization_model, item);
    printf("%-13s  %-9s  %-17s  %-19s  %s\n", item->authorization_id, custody_status_name(item->status), item->vin,
           show_time(item->created_at, created), item->person_identity_key);
    return !ferror(stdout);
}

static int list_page(struct errand *errand, const struct listing *listing)
{
    struct custody_page page;
    int rc = CALL(errand, custody_list_authorizations(errand->client, wf_task_arena(), &page, .vin = listing->vin,
                                                      .status = listing->status, .limit = listing->limit));
    if (rc < 0) return complain(errand, listing->vin, rc);
    size_t count = page.authorizations.count;
    for (size_t i = 0; i < count; i++)
        if (!print_item(errand, &page.authorizations.items[i])) return -EPIPE;
    if (page.next_cursor != NULL && !errand->json && fflush(stdout) == 0)
        fprintf(stderr, "custody: list: %zu of %lld; --all shows all\n", count, (long long)page.total_count);
    return 0;
}

static int list_all(struct errand *errand, const struct listing *listing)
{
    struct custody_authorization item;
    CUSTODY_AUTHORIZATIONS(items, errand->client, .vin = listing->vin, .status = listing->status,
                           .limit = listing->limit);
    for (;;) {
        int rc = CALL(errand, wf_next(&items, &item));
        if (rc < 0) return complain(errand, listing->vin, rc);
        if (rc == 0) return 0;
        if (!print_item(errand, &item)) return -EPIPE;
    }
}

static int list(struct errand *errand)
{
    const struct listing *listing = errand->own;
    if (!errand->json)
        printf("%s%-13s  %-9s  %-17s  %-19s  %s%s\n", paint(BOLD), "ID", "STATUS", "VIN", "CREATED (UTC)", "PERSON",
               paint(PLAIN));
    return listing->all ? list_all(errand, listing) : list_page(errand, listing);
}

int run_list(int argc, char **argv)
{
    struct listing listing = {.limit = 0};
    struct errand errand = {.command = "list", .timeout_s = TIMEOUT_S, .own = &listing};
    const struct option_rule rules[] = {{"vin", OPTION_TEXT, &listing.vin, 0, 0},
                                        {"status", OPTION_TEXT, &listing.status, 0, 0},
                                        {"limit", OPTION_NUMBER, &listing.limit, 1, CUSTODY_LIMIT_MAX},
                                        {"all", OPTION_FLAG, &listing.all, 0, 0},
                                        ERRAND_RULES(&errand)};
    int status = read_arguments(argc, argv, list_help, rules, &errand.words);
    if (status >= 0) return status;
    if (errand.words.count > 0) return refuse_usage(argv[0], "what is \"%s\"?", errand.words.list[0]);
    return run_errand(&errand, list);
}

/* ---- Events ---- */

struct watching {
    const char *vin, *after;
};

/* An event with its number. */
#define NEWS_MEMBERS(M) M(STRING, id) CUSTODY_EVENT_MEMBERS(M)
WF_MODEL(numbered_news, NEWS_MEMBERS)

static bool print_news(const struct errand *errand, const struct custody_news *news)
{
    char at[TIME_TEXT];
    const struct custody_event *event = &news->event;
    if (errand->json)
        return print_json(&numbered_news_model, &(struct numbered_news){.id = news->id,
                                                                        .type = event->type,
                                                                        .vin = event->vin,
                                                                        .at = event->at,
                                                                        .subject_id = event->subject_id});
    printf("%-6s  %s  %-24s  %-17s  %s\n", news->id, show_time(event->at, at), event->type, event->vin,
           event->subject_id);
    return fflush(stdout) == 0;
}

/* Where nobody answers at all, that is said at once. */
static int watch(struct errand *errand)
{
    const struct watching *watching = errand->own;
    struct custody_page page;
    struct custody_news news;
    int rc = CALL(errand, custody_list_authorizations(errand->client, wf_task_arena(), &page, .limit = 1));
    CUSTODY_EVENTS(events, errand->client, .vin = watching->vin, .after = watching->after);
    while (rc >= 0 && (rc = wf_next(&events, &news)) > 0)
        if (!print_news(errand, &news)) return -EPIPE;
    return rc < 0 ? complain(errand, watching->vin, rc) : 0;
}

int run_watch(int argc, char **argv)
{
    struct watching watching = {.vin = NULL};
    struct errand errand = {.command = "watch", .timeout_s = TIMEOUT_S, .own = &watching};
    const struct option_rule rules[] = {{"vin", OPTION_TEXT, &watching.vin, 0, 0},
                                        {"after", OPTION_TEXT, &watching.after, 0, 0},
                                        ERRAND_RULES(&errand)};
    int status = read_arguments(argc, argv, watch_help, rules, &errand.words);
    if (status >= 0) return status;
    if (errand.words.count > 0) return refuse_usage(argv[0], "what is \"%s\"?", errand.words.list[0]);
    return run_errand(&errand, watch);
}

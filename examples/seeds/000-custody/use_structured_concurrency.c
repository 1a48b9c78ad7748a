/*
 * Best Practices 2, Use Structured Concurrency: a group whose operations all complete, or are cancelled together; and
 * independent ones, each with its own outcome.
 *
 * Rows: S009, S010, S006, S154.
 * Run it: weft run examples/seeds/000-custody/use_structured_concurrency.c
 */
// weft: pkg-config custody
#include <custody/custody.h>
#include <stdio.h>
#include <stdlib.h>

struct operation {
    struct custody_client *client;
    const char *vin;
    int rc;
};

static int check(struct operation *operation)
{
    struct custody_releasability result;
    operation->rc = custody_check_vin(operation->client, wf_task_arena(), operation->vin, &result);
    return operation->rc;
}

static int watch_for_ever(struct operation *operation)
{
    CUSTODY_EVENTS(events, operation->client);
    struct custody_news news;
    while ((operation->rc = wf_next(&events, &news)) > 0) {}
    return operation->rc;
}

static int together(struct operation *watching, struct operation *wrong)
{
    WF_SCOPE(scope, .timeout = WF_SECONDS(10));
    wf_spawn(&scope, watch_for_ever, watching);
    wf_spawn(&scope, check, wrong);
    return wf_scope_join(&scope);
}

static const char *word(int rc)
{
    return rc == 0 ? "completed" : rc == -ECANCELED ? "cancelled" : "failed";
}

static int run(void *unused)
{
    (void)unused;
    CUSTODY_CLIENT(client, custody_sandbox(getenv("CUSTODY_TOKEN")));
    struct operation watching = {.client = &client}, wrong = {.client = &client, .vin = "INVALID_VIN"};
    int rc = together(&watching, &wrong);
    printf("group: %s; the check %s, watching was %s\n", word(rc), word(wrong.rc), word(watching.rc));

    struct operation independent[] = {{.client = &client, .vin = "9HGBH41JXMN999999"},
                                      {.client = &client, .vin = "INVALID_VIN"}};
    int codes[WF_COUNT(independent)];
    rc = wf_gather(independent, WF_COUNT(independent), check, .collect = codes);
    printf("independent: %s, %s\n", word(codes[0]), word(codes[1]));
    return rc;
}

int main(void)
{
    return wf_main(run, NULL);
}

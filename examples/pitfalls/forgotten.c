/*
 * The forgotten await: work that was started and never looked at. The mail server is down, and somebody should hear of
 * it. Bad: the block is left without waiting; weft reports it and ends the child. Good: the scope is joined. Best: what
 * nobody needs to run beside anything else is called, and marked so that the compiler refuses a dropped result.
 *
 *     weft run examples/pitfalls/forgotten.c
 */
#include <stdio.h>
#include <string.h>
#include <weft/weft.h>

static int attempts;

static WF_CHECKED int send_mail(const char *to)
{
    int rc = wf_sleep(WF_MILLISECONDS(10));
    if (rc < 0) return rc;
    attempts++;
    return wf_fail(-ECONNREFUSED, "no mail to %s: the mail server is down", to);
}

static int bad(const char *customer)
{
    WF_SCOPE(scope);
    wf_spawn(&scope, send_mail, customer);
    return 0;
}

static int good(const char *customer)
{
    WF_SCOPE(scope);
    wf_spawn(&scope, send_mail, customer);
    return wf_scope_join(&scope);
}

static int best(const char *customer)
{
    return send_mail(customer); /* without the return: ignoring return value of 'send_mail' */
}

/* Even a spawn whose result nobody reads cannot lose its error: it is the scope's. */
static int unread(const char *customer)
{
    WF_SCOPE(scope);
    wf_ignore(wf_spawn(&scope, send_mail, customer, .name = "mail"));
    wf_sleep(WF_MILLISECONDS(100));
    int rc = wf_scope_join(&scope);
    wf_each_error(&scope, error) printf("  %s: %s\n", error->path, error->message);
    return rc;
}

/* What weft reports goes to standard error; here its beginning goes to standard output, without the places. */
static void show_report(void *context, const char *text)
{
    (void)context;
    const char *left = strstr(text, "was left with"), *end = left != NULL ? strstr(left, " (") : NULL;
    if (end != NULL) printf("  weft reports: a scope %.*s\n", (int)(end - left), left);
    else printf("  weft reports: %s\n", text);
}

static int show(const char *name, int (*form)(const char *))
{
    attempts = 0;
    int rc = form("ada");
    printf("%s: %s, attempts to send: %d\n", name, wf_strerror(rc), attempts);
    return 0;
}

static int compare(void *unused)
{
    (void)unused;
    show("bad", bad);
    show("good", good);
    show("best", best);
    return show("unread", unread);
}

int main(void)
{
    wf_set_report(show_report, NULL);
    wf_run(compare, NULL);
    return 0;
}

// Asks many hosts at once whether they answer, by one ping process for each, at most eight at a time.
//
//     weft run examples/parallel_ping.c [--with PROGRAM] HOST...
//
// A host that has not answered after two seconds is not waited for: its process is stopped. --with runs another program
// in place of ping, which gets the host as its argument.
#include <stdio.h>
#include <string.h>
#include <weft/weft.h>

enum { HOSTS_MAX = 256, AT_ONCE = 8 };

struct check {
    const char *host, *with;
    bool answers;
};

static int ping(struct check *check)
{
    const char *const ping[] = {"ping", "-c", "1", check->host, NULL}, *const other[] = {check->with, check->host,
                                                                                         NULL};
    struct wf_process_result result;
    int rc = wf_within(WF_SECONDS(2), wf_process_run(wf_task_arena(), &result, check->with != NULL ? other : ping));
    check->answers = rc == 0 && result.status.code == 0;
    return rc == -ETIME ? 0 : rc;
}

struct all {
    struct check checks[HOSTS_MAX];
    size_t count;
};

static int ping_all(struct all *all)
{
    int rc = wf_gather(all->checks, all->count, ping, .limit = AT_ONCE);
    if (rc < 0) return rc;
    size_t answers = 0;
    for (size_t i = 0; i < all->count; i++) {
        printf("%s: %s\n", all->checks[i].host, all->checks[i].answers ? "answers" : "does not answer");
        answers += all->checks[i].answers;
    }
    printf("%zu of %zu answer\n", answers, all->count);
    return 0;
}

int main(int argc, char **argv)
{
    static struct all all;
    const char *with = NULL;
    for (int i = 1; i < argc && all.count < HOSTS_MAX; i++) {
        if (strcmp(argv[i], "--with") == 0 && i + 1 < argc) with = argv[++i];
        else all.checks[all.count++] = (struct check){.host = argv[i], .with = with};
    }
    if (all.count > 0) return wf_main(ping_all, &all, .signals = true);
    fputs("usage: parallel_ping [--with PROGRAM] HOST...\n", stderr);
    return 2;
}

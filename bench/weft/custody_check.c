/*
 * Checks of vehicles by the SDK, over connections that stay, of a sandbox that runs as another process.
 *
 *     custody_check cost PORT PID TOKEN COUNT      processor time of a check, in us: this process, and the server's
 *                                                  loop; SQLite works on threads of the server's, which do not count
 *     custody_check rate PORT PID TOKEN COUNT      with both on one processor: us from one check to the next
 */
#include "../measure.h"

#include <custody/custody.h>
#include <dirent.h>
#include <sched.h>
#include <sys/types.h>

enum { TASKS = 16, WARM_UP = 2000 };

struct asking {
    struct custody_client *client;
    long left, next;
};

static int ask(struct asking *asking)
{
    struct wf_arena *arena = wf_task_arena();
    struct custody_releasability result;
    char vin[CUSTODY_VIN_MAX + 1];
    int rc = 0;
    while (rc == 0 && asking->left-- > 0) {
        snprintf(vin, sizeof vin, "VIN%012ld", asking->next++ % 100);
        rc = custody_check_vin(asking->client, arena, vin, &result);
        wf_arena_reset(arena);
    }
    return rc;
}

static int ask_all(struct asking *asking, long count)
{
    asking->left = count;
    WF_SCOPE(scope);
    int rc = 0;
    for (int i = 0; rc == 0 && i < TASKS; i++) rc = wf_spawn(&scope, ask, asking);
    return wf_scope_end(&scope, rc);
}

/* What the first thread of a process took so far: its loop. */
static double loop_seconds(const char *pid)
{
    char path[64];
    unsigned long long ns = 0;
    snprintf(path, sizeof path, "/proc/%s/task/%s/schedstat", pid, pid);
    FILE *file = fopen(path, "r");
    if (file == NULL || fscanf(file, "%llu", &ns) != 1) return -1;
    fclose(file);
    return (double)ns / 1e9;
}

/* All threads of the server move to this one's processor. */
static int share_processor(const char *pid)
{
    char path[64];
    cpu_set_t here;
    CPU_ZERO(&here);
    CPU_SET((unsigned)sched_getcpu(), &here);
    int rc = sched_setaffinity(0, sizeof here, &here);
    snprintf(path, sizeof path, "/proc/%s/task", pid);
    DIR *threads = opendir(path);
    if (threads == NULL) return -1;
    for (struct dirent *each; (each = readdir(threads)) != NULL;)
        if (atoi(each->d_name) > 0) rc |= sched_setaffinity(atoi(each->d_name), sizeof here, &here);
    closedir(threads);
    return rc;
}

struct arguments {
    bool rate;
    const char *port, *pid, *token;
    long count;
};

static int measure(const struct arguments *arguments)
{
    char url[64];
    snprintf(url, sizeof url, "http://127.0.0.1:%s/v1", arguments->port);
    CUSTODY_CLIENT(client, .base_url = url, .token = arguments->token);
    struct asking asking = {.client = &client};
    int rc = ask_all(&asking, WARM_UP);
    if (rc == 0 && arguments->rate && share_processor(arguments->pid) < 0) rc = -EPERM;
    if (rc < 0) return rc;
    double wall = wall_seconds(), took = cpu_seconds() + loop_seconds(arguments->pid);
    rc = ask_all(&asking, arguments->count);
    wall = wall_seconds() - wall;
    took = cpu_seconds() + loop_seconds(arguments->pid) - took;
    if (rc < 0) return rc;
    return print_result("custody_check", (arguments->rate ? wall : took) * 1e6 / (double)arguments->count);
}

int main(int argc, char **argv)
{
    if (argc != 6) return fputs("usage: custody_check cost|rate PORT PID TOKEN COUNT\n", stderr), 2;
    struct arguments arguments = {.rate = strcmp(argv[1], "rate") == 0,
                                  .port = argv[2],
                                  .pid = argv[3],
                                  .token = argv[4],
                                  .count = atol(argv[5])};
    return wf_main(measure, &arguments);
}

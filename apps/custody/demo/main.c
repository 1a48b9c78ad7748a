/*
 * The demonstration: a custody sandbox on SQLite, and what programs do with it by the SDK, with the times beside those
 * of one call after the other. custody-demo PROGRAM, which is the custody command
 */
#include <stdio.h>
#include <weft/weft.h>

#include "sandbox_process.h"
#include "steps.h"

static int run_steps(const struct sandbox_process *sandbox)
{
    CUSTODY_CLIENT(client, .base_url = sandbox->url, .token = sandbox->token, .connections = 100, .attempts = 1);
    struct demo demo = {.sandbox = sandbox, .client = &client};
    int rc = show_three_vehicles(&demo);
    if (rc == 0) rc = show_errors_in_place(&demo);
    if (rc == 0) rc = show_a_hundred(&demo);
    if (rc == 0) rc = show_a_group(&demo);
    if (rc == 0) rc = show_pages(&demo);
    if (rc == 0) rc = show_a_fallback(&demo);
    if (rc == 0) rc = show_polling(&demo);
    return rc;
}

static int run(const char *program)
{
    WF_TEMPORARY_DIRECTORY(folder);
    WF_PROCESS(process);
    struct sandbox_process sandbox = {.process = &process, .folder = folder.path};
    if (folder.error < 0) return folder.error;
    int64_t began = wf_now();
    int rc = sandbox_start(&sandbox, program);
    if (rc < 0) return rc;
    printf("A custody service on SQLite is at %s, a process of its own.\n", sandbox.url);
    printf("Each of its answers is held back for %d ms, as if it were far away.\n", FAR_MS);
    rc = run_steps(&sandbox);
    if (rc == 0) rc = show_the_end(&sandbox);
    if (rc == 0) printf("\nAll of it took %.1f s; nothing is left behind.\n", wf_seconds(wf_now() - began));
    return rc;
}

int main(int argc, char **argv)
{
    if (argc != 2) return fputs("usage: custody-demo PROGRAM\n", stderr), 2;
    return wf_main(run, argv[1]);
}

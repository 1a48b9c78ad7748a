/* The live page of the sandbox: none yet. */
#include "page.h"

void page_routes(struct wf_app *app)
{
    (void)app;
}

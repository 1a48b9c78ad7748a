/* The live page of the sandbox: GET / and what it loads, out of the binary. */
#ifndef CUSTODY_PAGE_H
#define CUSTODY_PAGE_H

#include <weft/app.h>

/* Adds the page's routes to the outermost app; none of them needs a token, or is in the API's description.
 * Suspends: never. */
void page_routes(struct wf_app *app);

#endif

/*
 * Async Pagination: all authorizations of a vehicle, one after the other, while they are fetched page by page.
 *
 * Rows: S102, S024, S025.
 * In Python one function gives a page or an iterator, as a flag says; here they are two. The cursor stays where it is
 * when authorizations are added meanwhile.
 *
 * Run it: weft run examples/seeds/000-custody/async_pagination.c
 */
// weft: pkg-config custody
#include <custody/custody.h>
#include <stdio.h>
#include <stdlib.h>

static int list(const char *vin)
{
    static const char *const words[] = {"PENDING", "APPROVED", "USED", "REJECTED", "CANCELLED", "EXPIRED"};
    CUSTODY_CLIENT(client, custody_sandbox(getenv("CUSTODY_TOKEN")));
    CUSTODY_AUTHORIZATIONS(authorizations, &client, .vin = vin, .limit = 50);
    struct custody_authorization each;
    int count = 0, rc;
    while ((rc = wf_next(&authorizations, &each)) > 0) {
        if (count < 3) printf("%s: %s\n", each.authorization_id, words[each.status]);
        count++;
    }
    if (rc == 0) printf("Total: %d authorizations\n", count);
    return rc;
}

int main(void)
{
    return wf_main(list, "9HGBH41JXMN999999");
}

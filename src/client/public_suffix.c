/* Public suffixes, by libpsl: "com", "co.uk", "github.io". */
#include <libpsl.h>

#include "client/cookies.h"

bool public_suffixes_known(void)
{
    return psl_builtin() != NULL;
}

bool is_public_suffix(const char *domain)
{
    return psl_is_public_suffix(psl_builtin(), domain) != 0;
}

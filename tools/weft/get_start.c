/* weft get is a program of its own beside this one, which stays one that needs nothing but libc. */
#include <errno.h>
#include <string.h>
#include <unistd.h>

#include "command.h"

int get_command(int argc, char **argv)
{
    (void)argc;
    char *path = format_text("%s/weft-get", own_directory());
    argv[0] = path;
    execv(path, argv);
    if (errno == ENOENT) fail("there is no %s: this weft was built without weft-http, which get needs", path);
    fail("cannot run %s: %s", path, strerror(errno));
}

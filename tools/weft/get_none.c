/* weft get, where weft-http was not built. */
#include "command.h"

int get_command(int argc, char **argv)
{
    (void)argc, (void)argv;
    complain("this weft was built without weft-http, which get needs");
    return STATUS_FAILED;
}

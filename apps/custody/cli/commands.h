/* The commands of the program: each is given what stands behind its name, and returns the exit status: 0, 1 for a
 * failure, 2 for a wrong command line. */
#ifndef CUSTODY_COMMANDS_H
#define CUSTODY_COMMANDS_H

/* argv[0] is "custody NAME", for usages. */
int run_sandbox(int argc, char **argv);

#endif

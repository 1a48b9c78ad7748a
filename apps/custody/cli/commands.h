/* The commands of the program: each is given what stands behind its name, and returns the exit status: 0, 1 for a
 * failure, 2 for a wrong command line. */
#ifndef CUSTODY_COMMANDS_H
#define CUSTODY_COMMANDS_H

/* argv[0] is "custody NAME", for usages. */
int run_sandbox(int argc, char **argv);
int run_check(int argc, char **argv);
int run_status(int argc, char **argv);
int run_list(int argc, char **argv);
int run_authorize(int argc, char **argv);
int run_approve(int argc, char **argv);
int run_reject(int argc, char **argv);
int run_cancel(int argc, char **argv);
int run_transfer(int argc, char **argv);
int run_watch(int argc, char **argv);

#endif

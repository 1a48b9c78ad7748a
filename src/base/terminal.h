/* Terminals whose mode was changed, put back however the process ends. */
#ifndef WEFT_BASE_TERMINAL_H
#define WEFT_BASE_TERMINAL_H

/* Raw mode for an open terminal: a number for it, above 0, or -errno. */
int terminal_make_raw(int fd);

/* Puts it back: 0 or -errno. The descriptor must still be open. */
int terminal_restore(int number);

/* All of them. Safe in a signal handler. */
void terminal_restore_all(void);

#endif

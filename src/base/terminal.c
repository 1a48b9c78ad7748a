/*
 * A table of terminals in raw mode, which a signal handler can read at any moment: a place is either free, or holds
 * what its terminal was and is. A handler only puts terminals back; places are freed by their owners.
 *
 *     free --claim--> filling --terminal is raw--> raw --terminal_restore--> free
 */
#include "base/terminal.h"

#include <errno.h>
#include <pthread.h>
#include <signal.h>
#include <stdatomic.h>
#include <stdbool.h>
#include <stdlib.h>
#include <sys/stat.h>
#include <termios.h>
#include <unistd.h>

enum { PLACES = 16, FREE = 0, FILLING, RAW };

static struct place {
    atomic_int state;
    int fd;
    dev_t device;
    pid_t owner; /* a forked child's copy is not its own */
    struct termios before, raw;
} places[PLACES];

/* ---- Setting ---- */

/* From the background the system would stop the process for it, and whoever is in front has a mode of his own. */
static bool is_ours_to_set(int fd)
{
    pid_t front = tcgetpgrp(fd);
    return front < 0 || front == getpgrp();
}

static void set_all(bool raw)
{
    int saved = errno;
    for (int i = 0; i < PLACES; i++) {
        const struct place *place = &places[i];
        if (atomic_load(&place->state) != RAW || place->owner != getpid() || !is_ours_to_set(place->fd)) continue;
        tcsetattr(place->fd, TCSANOW, raw ? &place->raw : &place->before);
    }
    errno = saved;
}

void terminal_restore_all(void)
{
    set_all(false);
}

/* ---- Signals ---- */

/* The first four and TSTP only where nobody else handles them: else the process goes on. */
static const int deadly[] = {SIGHUP, SIGINT, SIGQUIT, SIGTERM, SIGTSTP, SIGABRT, SIGSEGV, SIGBUS, SIGFPE, SIGILL};
enum { DEADLY = sizeof deadly / sizeof deadly[0], CRASHES_FROM = 5 };
static struct sigaction previous[DEADLY];
static bool taken[DEADLY];

static void stop(void)
{
    set_all(false);
    raise(SIGSTOP);
    set_all(true);
}

static void pass_on(const struct sigaction *to, int number, siginfo_t *info, void *context)
{
    if (to->sa_flags & SA_SIGINFO) to->sa_sigaction(number, info, context);
    else if (to->sa_handler != SIG_DFL && to->sa_handler != SIG_IGN) to->sa_handler(number);
    else {
        signal(number, SIG_DFL);
        if (info->si_code <= 0) raise(number); /* a fault comes again by itself */
    }
}

static void on_signal(int number, siginfo_t *info, void *context)
{
    int saved = errno, index = 0;
    if (number == SIGTSTP) stop();
    else {
        set_all(false);
        while (deadly[index] != number) index++;
        pass_on(&previous[index], number, info, context);
    }
    errno = saved;
}

static bool is_default(const struct sigaction *action)
{
    return !(action->sa_flags & SA_SIGINFO) && action->sa_handler == SIG_DFL;
}

static void take_signals(void)
{
    struct sigaction action = {.sa_sigaction = on_signal, .sa_flags = SA_SIGINFO | SA_ONSTACK | SA_RESTART};
    sigemptyset(&action.sa_mask);
    for (int i = 0; i < DEADLY; i++) {
        sigaction(deadly[i], NULL, &previous[i]);
        taken[i] = i >= CRASHES_FROM || is_default(&previous[i]);
        if (taken[i]) sigaction(deadly[i], &action, NULL);
    }
}

/* Where somebody else has taken one since, it stays his. */
static void give_signals_back(void)
{
    for (int i = 0; i < DEADLY; i++) {
        struct sigaction now;
        sigaction(deadly[i], NULL, &now);
        if (taken[i] && (now.sa_flags & SA_SIGINFO) && now.sa_sigaction == on_signal)
            sigaction(deadly[i], &previous[i], NULL);
    }
}

/* ---- Terminals ---- */

static pthread_mutex_t lock = PTHREAD_MUTEX_INITIALIZER;
static int raw_count;

static void count_one_more(void)
{
    static bool at_exit;
    pthread_mutex_lock(&lock);
    if (!at_exit) at_exit = atexit(terminal_restore_all) == 0;
    if (raw_count++ == 0) take_signals();
    pthread_mutex_unlock(&lock);
}

static void count_one_less(void)
{
    pthread_mutex_lock(&lock);
    if (--raw_count == 0) give_signals_back();
    pthread_mutex_unlock(&lock);
}

static struct place *claim(void)
{
    for (int i = 0; i < PLACES; i++) {
        int expected = FREE;
        if (atomic_compare_exchange_strong(&places[i].state, &expected, FILLING)) return &places[i];
    }
    return NULL;
}

/* What cfmakeraw(3) does, but for the output. */
static struct termios raw_of(struct termios mode)
{
    mode.c_iflag &= ~(tcflag_t)(IGNBRK | BRKINT | PARMRK | ISTRIP | INLCR | IGNCR | ICRNL | IXON);
    mode.c_lflag &= ~(tcflag_t)(ECHO | ECHONL | ICANON | ISIG | IEXTEN);
    mode.c_cflag = (mode.c_cflag & ~(tcflag_t)(CSIZE | PARENB)) | CS8;
    mode.c_cc[VMIN] = 1;
    mode.c_cc[VTIME] = 0;
    return mode;
}

/* One that is raw already by another descriptor was as that one found it. */
static const struct place *other_of(const struct place *place)
{
    for (int i = 0; i < PLACES; i++)
        if (atomic_load(&places[i].state) == RAW && places[i].device == place->device) return &places[i];
    return NULL;
}

static int look(struct place *place, int fd)
{
    struct stat status;
    if (tcgetattr(fd, &place->before) < 0 || fstat(fd, &status) < 0) return -errno;
    place->fd = fd;
    place->owner = getpid();
    place->device = status.st_rdev;
    place->raw = raw_of(place->before);
    const struct place *other = other_of(place);
    if (other != NULL) place->before = other->before;
    return 0;
}

int terminal_make_raw(int fd)
{
    struct place *place = claim();
    if (place == NULL) return -EMFILE;
    int rc = look(place, fd);
    if (rc == 0) {
        count_one_more(); /* from here on a signal finds it */
        atomic_store(&place->state, RAW);
        if (tcsetattr(fd, TCSANOW, &place->raw) < 0) {
            rc = -errno;
            count_one_less();
        }
    }
    if (rc < 0) atomic_store(&place->state, FREE);
    return rc < 0 ? rc : (int)(place - places) + 1;
}

int terminal_restore(int number)
{
    struct place *place = &places[number - 1];
    int rc = tcsetattr(place->fd, TCSANOW, &place->before) < 0 ? -errno : 0;
    atomic_store(&place->state, FREE);
    count_one_less();
    return rc;
}

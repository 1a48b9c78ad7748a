/*
 * The terminal: raw while the screen is shown, and as it was on every way out: `q`, a signal, a process that is gone.
 * Drawn by plain sequences that every terminal knows.
 */
#include <errno.h>
#include <poll.h>
#include <signal.h>
#include <stdlib.h>
#include <string.h>
#include <sys/ioctl.h>
#include <termios.h>
#include <unistd.h>

#include "command.h"
#include "top.h"

#define SCREEN_ON "\x1b[?1049h\x1b[?25l"
#define SCREEN_OFF "\x1b[0m\x1b[?25h\x1b[?1049l"

static struct termios before;
static volatile sig_atomic_t is_raw, was_resized, is_over;

/* ---- In and out of raw mode ---- */

static void write_whole(const char *bytes, size_t size)
{
    while (size > 0) {
        ssize_t written = write(STDOUT_FILENO, bytes, size);
        if (written < 0 && errno != EINTR) return;
        if (written < 0) continue;
        bytes += written;
        size -= (size_t)written;
    }
}

/* Safe in a handler of signals. */
static void leave_screen(void)
{
    if (!is_raw) return;
    is_raw = 0;
    write_whole(SCREEN_OFF, sizeof SCREEN_OFF - 1);
    tcsetattr(STDIN_FILENO, TCSANOW, &before);
}

static bool enter_screen(void)
{
    struct termios raw = before;
    raw.c_lflag &= ~(tcflag_t)(ICANON | ECHO);
    raw.c_iflag &= ~(tcflag_t)(IXON | ICRNL);
    raw.c_cc[VMIN] = 0;
    raw.c_cc[VTIME] = 0;
    if (tcsetattr(STDIN_FILENO, TCSANOW, &raw) != 0) return false;
    is_raw = 1;
    write_whole(SCREEN_ON, sizeof SCREEN_ON - 1);
    return true;
}

static void on_end(int number)
{
    (void)number;
    is_over = 1;
}

static void on_resize(int number)
{
    (void)number;
    was_resized = 1;
}

/* Stopped with the terminal as it was; going on, with the screen as it is. */
static void on_stop(int number)
{
    int error = errno;
    leave_screen();
    signal(number, SIG_DFL);
    sigset_t open;
    sigemptyset(&open);
    sigaddset(&open, number);
    raise(number);
    sigprocmask(SIG_UNBLOCK, &open, NULL); /* here it stops */
    struct sigaction action = {.sa_handler = on_stop, .sa_flags = SA_RESTART};
    sigaction(number, &action, NULL);
    enter_screen();
    was_resized = 1;
    errno = error;
}

/* A crash of our own must not leave a terminal that nobody can use. */
static void on_crash(int number)
{
    leave_screen();
    signal(number, SIG_DFL);
    raise(number);
}

static void watch_signals(void)
{
    static const struct {
        int number;
        void (*handler)(int number);
    } watched[] = {{SIGINT, on_end},    {SIGTERM, on_end},     {SIGHUP, on_end},
                   {SIGQUIT, on_end},   {SIGWINCH, on_resize}, {SIGTSTP, on_stop},
                   {SIGSEGV, on_crash}, {SIGBUS, on_crash},    {SIGABRT, on_crash}};
    for (size_t i = 0; i < sizeof watched / sizeof *watched; i++) {
        struct sigaction action = {.sa_handler = watched[i].handler};
        sigaction(watched[i].number, &action, NULL);
    }
    signal(SIGPIPE, SIG_IGN);
}

static void measure(struct screen *screen)
{
    struct winsize size = {.ws_row = 0};
    bool known = ioctl(STDOUT_FILENO, TIOCGWINSZ, &size) == 0 && size.ws_row > 0 && size.ws_col > 0;
    screen->lines = known ? size.ws_row : 24;
    screen->columns = known ? size.ws_col : 80;
    was_resized = 0;
}

static void show(struct top *top, struct screen *screen)
{
    char *bytes = NULL;
    size_t size = 0;
    FILE *out = open_memstream(&bytes, &size);
    if (out == NULL) return;
    draw(top, screen, out, false);
    fclose(out);
    write_whole(bytes, size);
    free(bytes);
}

/* ---- Keys ---- */

static void type_filter(struct top *top, struct screen *screen, char key)
{
    size_t size = strlen(top->filter);
    if (key == '\r' || key == '\n') screen->typing = false;
    else if (key == 0x7f || key == '\b') top->filter[size > 0 ? size - 1 : 0] = '\0';
    else if (key >= ' ' && key <= '~' && size + 1 < sizeof top->filter) {
        top->filter[size] = key;
        top->filter[size + 1] = '\0';
    }
}

static void sort_by_key(struct top *top, char key)
{
    static const char keys[] =
        {[SORT_RUN] = 'r', [SORT_TURNS] = 't', [SORT_WAIT] = 'w', [SORT_NAME] = 'n', [SORT_LONGEST] = 's'};
    for (size_t i = 0; i < sizeof keys; i++)
        if (keys[i] == key) top->sort = (enum sort)i;
    sort_rows(top);
}

static void press(struct top *top, struct screen *screen, char key)
{
    if (screen->typing) type_filter(top, screen, key);
    else if (key == 'q' || key == 3) is_over = 1;
    else if (key == 'm') screen->metrics = !screen->metrics && !screen->detail;
    else if ((key == '\r' || key == '\n') && !screen->metrics) screen->detail = !screen->detail;
    else if (screen->detail) screen->detail = key != '\x1b';
    else if (key == 'j') screen->selected++;
    else if (key == 'k' && screen->selected > 0) screen->selected--;
    else if (key == 'g') screen->selected = 0;
    else if (key == '/') {
        screen->typing = true;
        top->filter[0] = '\0';
    } else {
        sort_by_key(top, key);
    }
}

/* The arrows, as terminals send them; Escape alone ends the typing, the filter, or the stack. */
static void press_escape(struct top *top, struct screen *screen, const char *bytes, size_t size)
{
    char last = size > 2 ? bytes[2] : '\0';
    if (last == 'A') press(top, screen, 'k');
    else if (last == 'B') press(top, screen, 'j');
    else if (screen->detail || screen->metrics) screen->detail = screen->metrics = false;
    else {
        screen->typing = false;
        top->filter[0] = '\0';
    }
}

/* False: the terminal is gone. */
static bool read_keys(struct top *top, struct screen *screen)
{
    char bytes[64];
    ssize_t got = read(STDIN_FILENO, bytes, sizeof bytes);
    if (got < 0) return errno == EINTR || errno == EAGAIN;
    for (ssize_t i = 0; i < got; i++) {
        if (bytes[i] != '\x1b') {
            press(top, screen, bytes[i]);
            continue;
        }
        bool arrow = got - i >= 3 && bytes[i + 1] == '[';
        press_escape(top, screen, bytes + i, arrow ? 3 : 1);
        if (arrow) i += 2;
    }
    return got > 0;
}

/* ---- Until it is over ---- */

/* Samples until a key, a new size or the next view; false: the terminal is gone. */
static bool wait_and_sample(struct top *top, struct screen *screen)
{
    struct pollfd input = {.fd = STDIN_FILENO, .events = POLLIN};
    int64_t until = top->looked_at + top->delay;
    int interval = (int)(top->interval / 1000000);
    while (!is_over && !was_resized && time_now() < until) {
        int ready = poll(&input, 1, interval > 0 ? interval : 1);
        if (ready > 0) return read_keys(top, screen);
        take_sample(&top->sampler, time_now());
    }
    return true;
}

int run_screen(struct top *top)
{
    struct screen screen = {.selected = 0};
    if (tcgetattr(STDIN_FILENO, &before) != 0) fail("top needs a terminal; see --once and --batch");
    atexit(leave_screen);
    watch_signals();
    measure(&screen);
    if (!enter_screen()) fail("the terminal cannot be set: %s", strerror(errno));
    const char *why = NULL;
    bool here = true;
    while (here && !is_over) {
        if (was_resized) measure(&screen);
        show(top, &screen);
        here = wait_and_sample(top, &screen);
        if (here && !is_over && time_now() >= top->looked_at + top->delay && top_look(top, &why) < 0) break;
    }
    leave_screen();
    if (why != NULL) complain("process %d: %s", (int)top->pid, why);
    return why == NULL ? 0 : STATUS_FAILED;
}

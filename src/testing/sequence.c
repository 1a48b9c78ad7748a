/* Order in tests: a log of what happened, and steps that tasks take in turn. */
#include <stdlib.h>
#include <weft/task.h>

#include "testing/runner.h"

/* ---- Notes ---- */

enum { NOTES_MAX = 16384 };

static char notes[NOTES_MAX];
static size_t notes_size;

void notes_begin(void)
{
    notes_size = 0;
    notes[0] = '\0';
}

const char *wf_test_notes(void)
{
    return notes;
}

void wf_test_note(const char *format, ...)
{
    va_list arguments;
    va_start(arguments, format);
    if (notes_size > 0 && notes_size < NOTES_MAX - 1) notes[notes_size++] = ' ';
    int size = vsnprintf(notes + notes_size, NOTES_MAX - notes_size, format, arguments);
    va_end(arguments);
    size_t room = NOTES_MAX - 1 - notes_size;
    if (size > 0) notes_size += (size_t)size < room ? (size_t)size : room;
}

/* ---- Steps ---- */

struct wf_sequence_step_ {
    struct wf_wait wait;
    struct wf_sequence_step_ *next;
    struct wf_sequence *sequence;
    uint64_t number;
};

/* Lets go whoever waits for the step that is due. */
static void advance(struct wf_sequence *sequence)
{
    struct wf_sequence_step_ **link = &sequence->waiting_;
    while (*link != NULL && (*link)->number != sequence->next_) link = &(*link)->next;
    if (*link == NULL) return;
    struct wf_sequence_step_ *step = *link;
    *link = step->next;
    sequence->owner_ = step->wait.task;
    wait_end(&step->wait, 0);
}

void wf_test_step_over(struct wf_sequence *sequence)
{
    if (sequence->owner_ != LOOP_HERE()->running) return;
    sequence->owner_ = NULL;
    sequence->next_++;
    advance(sequence);
}

static void step_cancelled(struct wf_wait *wait, int code)
{
    struct wf_sequence_step_ *step = (struct wf_sequence_step_ *)wait, **link = &step->sequence->waiting_;
    while (*link != step) link = &(*link)->next;
    *link = step->next;
    wait_end(wait, code);
}

static const struct wait_class step_class = {.name = "its step", .cancel = step_cancelled};

static bool is_taken(const struct wf_sequence *sequence, uint64_t number)
{
    if (number < sequence->next_ || (number == sequence->next_ && sequence->owner_ != NULL)) return true;
    const struct wf_sequence_step_ *step = sequence->waiting_;
    while (step != NULL && step->number != number) step = step->next;
    return step != NULL;
}

int wf_test_step(struct wf_sequence *sequence, uint64_t number)
{
    (void)LOOP_HERE();
    int rc = wait_check(false);
    if (rc < 0) return rc;
    wf_test_step_over(sequence);
    if (is_taken(sequence, number)) return -EINVAL;
    if (number == sequence->next_) {
        sequence->owner_ = current_loop->running;
        return (int)wait_skipped(0);
    }
    struct wf_sequence_step_ step = {.sequence = sequence, .number = number, .next = sequence->waiting_};
    sequence->waiting_ = &step;
    return (int)suspend(&step.wait, &step_class, sequence);
}

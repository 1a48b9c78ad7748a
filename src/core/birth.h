/*
 * Where an open thing was opened: the calls, which cost a few reads of the stack, so that what is left open at the end
 * of a loop can be named by its place.
 */
#ifndef WEFT_CORE_BIRTH_H
#define WEFT_CORE_BIRTH_H

enum { BIRTH_CALLS = 6 };

struct loop;

struct birth {
    struct birth *next, *prev; /* of the loop, the last first */
    const char *what;          /* "descriptor", "waker" */
    int number;                /* of a descriptor; -1 */
    void *calls[BIRTH_CALLS];  /* innermost first; NULL: no more */
};

void birth_note(struct loop *loop, struct birth *birth, const char *what, int number);
void birth_forget(struct loop *loop, struct birth *birth);
/* One that another loop has forgotten is open here now. */
void birth_adopt(struct loop *loop, struct birth *birth);

#endif

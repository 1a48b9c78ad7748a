/*
 * What an address of code means to a person: the function, the line, the module.
 *
 * The module and the offset in it are always there, and are what addr2line takes. Functions come from the dynamic
 * symbols; where libdw is on the machine (it is looked for when it is first needed, and nothing links it), also those
 * that are static, and lines. Debugging information is taken from the modules themselves, not from elsewhere.
 */
#ifndef WEFT_OBSERVE_PLACE_H
#define WEFT_OBSERVE_PLACE_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>

enum { PLACE_TEXT = 256 };

struct place {
    char module[PLACE_TEXT]; /* the file's own name, without folders; "" where nothing is known */
    uintptr_t offset;
    char function[PLACE_TEXT]; /* "" where it is not known */
    char file[PLACE_TEXT];     /* its own name; "" where lines are not known */
    int line;
};

/* From here to places_end names are looked up; one at a time in a process, the others wait. Needs much stack: where the
 * caller has little, `deep` is false, and there are no lines. */
void places_begin(bool deep);
void places_end(void);

/* Of an address that a call returns to: the line of the call. */
void place_of(const void *address, struct place *place);

/* "function at file.c:17 (module+0x1234)", as much of it as is known. */
void place_write(FILE *file, const struct place *place);

#endif

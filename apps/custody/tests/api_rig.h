/* A sandbox in memory, and a client that asks it: what the tests of the API stand on. */
#ifndef CUSTODY_TESTS_API_RIG_H
#define CUSTODY_TESTS_API_RIG_H

#include <weft/client.h>
#include <weft/testing.h>
#include <weft/weft.h>

#include "../server/sandbox.h"

#define RELEASABLE "9HGBH41JXMN999999"
#define HELD "1HGCM82633A123456"
#define OTHER "2HGCM82633A789012"
#define ATLANTA "LOC-AUCTION-MANHEIM-ATLANTA"

struct api {
    struct sandbox *sandbox;
    struct wf_client *client;
    const char *token; /* of both scopes */
};

/* What a test has by wf_use(&api_fixture): a fresh sandbox. Others begin by open_api and a client of their own. */
extern struct wf_fixture api_fixture;

struct asked {
    const char *method, *path; /* below the base, or from the root where it begins with "//" */
    const char *body;          /* JSON; NULL: none */
    const char *fields[3][2];  /* "Idempotency-Key", "k" */
    bool without_token;
};

/* Asks, in the task's arena. Whatever comes is an answer; -1: none came, which fails the test. */
int ask(struct api *api, const struct asked *asked, struct wf_response *response);

/* The status of the answer to GET, and to POST with a body; its body is put into *body where that is not NULL. */
int get(struct api *api, const char *path, const char **body);
int post(struct api *api, const char *path, const char *json, const char **body);

/* The text behind "name":" in a body, up to the next quote; "" where there is none. In the task's arena. */
const char *member_of(const char *body, const char *name);

/* A token by the secret that the fixture's sandbox has, with these claims as they stand, and exp far away. */
const char *token_of(const char *claims);

/* The body for a new authorization. */
const char *new_authorization(const char *vin, const char *person);

/* An authorization that is approved: its identity. */
const char *approved(struct api *api, const char *vin, const char *person);

#endif

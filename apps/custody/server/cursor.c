/*
 * Where a page ends, as a text for the client:
 *
 *     base64url( created_at, 8 bytes | "AUTH-########", 13 bytes | HMAC-SHA256 of filter and place, its first 16 )
 *
 * The filter is in the signature only: with another one it does not fit. A cursor that comes back is made again from
 * what it says, and has to be the same, to the last character.
 */
#include <openssl/evp.h>
#include <openssl/hmac.h>
#include <string.h>

#include "server.h"

enum { ID_SIZE = 13, PLACE_SIZE = 8 + ID_SIZE, MAC_SIZE = 16, PLACE_TEXT = PLACE_SIZE / 3 * 4 };

static const char digits[] = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-_";

/* RFC 4648 section 5, without padding. */
static void encode(const uint8_t *bytes, size_t size, char *text)
{
    uint32_t bits = 0;
    unsigned count = 0;
    for (size_t i = 0; i < size; i++) {
        bits = bits << 8 | bytes[i];
        for (count += 8; count >= 6; count -= 6) *text++ = digits[bits >> (count - 6) & 63];
    }
    if (count > 0) *text++ = digits[bits << (6 - count) & 63];
    *text = '\0';
}

/* A whole number of bytes. */
static bool decode(const char *text, size_t size, uint8_t *bytes)
{
    uint32_t bits = 0;
    unsigned count = 0;
    for (size_t i = 0; i < size; i++) {
        const char *digit = text[i] != '\0' ? strchr(digits, text[i]) : NULL;
        if (digit == NULL) return false;
        bits = bits << 6 | (uint32_t)(digit - digits);
        count += 6;
        if (count >= 8) *bytes++ = (uint8_t)(bits >> (count -= 8));
    }
    return true;
}

/* Keys for one purpose: what is signed here begins as no token does. */
static void sign(const struct sandbox *sandbox, const struct cursor_filter *filter, const uint8_t *place, uint8_t *mac)
{
    uint8_t said[256], full[EVP_MAX_MD_SIZE];
    int size =
        snprintf((char *)said, sizeof said - PLACE_SIZE, "custody cursor\n%.64s\n%.64s\n", filter->vin, filter->status);
    memcpy(said + size, place, PLACE_SIZE);
    HMAC(EVP_sha256(), sandbox->key, (int)sandbox->key_size, said, (size_t)size + PLACE_SIZE, full, NULL);
    memcpy(mac, full, MAC_SIZE);
}

void cursor_make(const struct sandbox *sandbox, const struct cursor_filter *filter, const struct place *place,
                 char text[CURSOR_SIZE + 1])
{
    uint8_t bytes[PLACE_SIZE + MAC_SIZE];
    for (unsigned i = 0; i < 8; i++) bytes[i] = (uint8_t)((uint64_t)place->created_at >> (56 - 8 * i));
    memset(bytes + 8, 0, ID_SIZE);
    memcpy(bytes + 8, place->id, strnlen(place->id, ID_SIZE));
    sign(sandbox, filter, bytes, bytes + PLACE_SIZE);
    encode(bytes, sizeof bytes, text);
}

bool cursor_read(const struct sandbox *sandbox, const struct cursor_filter *filter, const char *text,
                 struct place *place, char id[16])
{
    uint8_t bytes[PLACE_SIZE];
    char same[CURSOR_SIZE + 1];
    if (strlen(text) != CURSOR_SIZE || !decode(text, PLACE_TEXT, bytes)) return false;
    uint64_t time = 0;
    for (unsigned i = 0; i < 8; i++) time = time << 8 | bytes[i];
    memcpy(id, bytes + 8, ID_SIZE);
    id[ID_SIZE] = '\0';
    *place = (struct place){.created_at = (int64_t)time, .id = id};
    cursor_make(sandbox, filter, place, same);
    return wf_same_secret(same, text);
}

#include "http/base64url.h"

#include <openssl/evp.h>
#include <string.h>

char *base64url_encode(struct wf_arena *arena, const void *bytes, size_t size)
{
    char *text = wf_arena_alloc(arena, (size + 2) / 3 * 4 + 1);
    if (text == NULL) return NULL;
    EVP_EncodeBlock((unsigned char *)text, bytes, (int)size);
    for (char *at = text; *at != '\0'; at++) {
        if (*at == '+') *at = '-';
        if (*at == '/') *at = '_';
        if (*at == '=') *at = '\0';
        if (*at == '\0') break;
    }
    return text;
}

/* EVP_DecodeBlock skips what is around. */
static bool is_text(const char *text, size_t size)
{
    static const char letters[] = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-_";
    for (size_t i = 0; i < size; i++)
        if (text[i] == '\0' || strchr(letters, text[i]) == NULL) return false;
    return size % 4 != 1;
}

char *base64url_decode(struct wf_arena *arena, const char *text, size_t size, size_t *count)
{
    size_t padded = (size + 3) / 4 * 4;
    char *copy = wf_arena_alloc(arena, padded + 1), *bytes = wf_arena_alloc(arena, padded / 4 * 3 + 1);
    if (copy == NULL || bytes == NULL || !is_text(text, size)) return NULL;
    for (size_t i = 0; i < padded; i++) {
        copy[i] = '=';
        if (i < size) copy[i] = text[i];
        if (copy[i] == '-') copy[i] = '+';
        if (copy[i] == '_') copy[i] = '/';
    }
    int decoded = EVP_DecodeBlock((unsigned char *)bytes, (unsigned char *)copy, (int)padded);
    if (decoded < 0) return NULL;
    decoded -= (int)(padded - size);
    bytes[decoded] = '\0';
    if (count != NULL) *count = (size_t)decoded;
    char *again = base64url_encode(arena, bytes, (size_t)decoded); /* the last letter may have bits that mean nothing */
    return again != NULL && memcmp(again, text, size) == 0 ? bytes : NULL;
}

/* An address from any text: what is accepted is written, reads back as the same address, and is written the same again.
 * An address from any bytes, as a peer may have it, is written as printable text. */
#include "fuzz.h"

#include <string.h>
#include <weft/address.h>

static void claim_same_again(const struct wf_address *address)
{
    char text[WF_ADDRESS_TEXT], again[WF_ADDRESS_TEXT];
    struct wf_address read;
    wf_address_text(address, text);
    CLAIM(strlen(text) < sizeof text);
    CLAIM(strpbrk(text, "\n\r\t\x7f") == NULL);
    if (strcmp(text, "unix:") == 0) return; /* without a name */
    CLAIM(wf_address_parse(text, &read) == 0);
    CLAIM(wf_address_equal(address, &read));
    CLAIM(strcmp(text, wf_address_text(&read, again)) == 0);
}

int LLVMFuzzerTestOneInput(const uint8_t *bytes, size_t size)
{
    static char text[1024];
    struct wf_address address;
    struct sockaddr_storage any = {0};
    if (size >= sizeof text) size = sizeof text - 1;
    memcpy(text, bytes, size);
    text[size] = '\0';
    if (wf_address_parse(text, &address) == 0) claim_same_again(&address);
    size_t taken = size < sizeof any ? size : sizeof any;
    memcpy(&any, bytes, taken);
    if (wf_address_from((struct sockaddr *)&any, (socklen_t)taken, &address) == 0) claim_same_again(&address);
    return 0;
}

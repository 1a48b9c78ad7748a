/* Vehicle identification numbers: which texts are such. */
#include <custody/types.h>

#include <string.h>

static const char *const policies[] = {"lenient", "iso3779", "checkdigit"};

int custody_vin_policy_of(const char *name)
{
    for (int i = 0; i < (int)WF_COUNT(policies); i++)
        if (strcmp(policies[i], name) == 0) return i;
    return -1;
}

static char upper(char character)
{
    return character >= 'a' && character <= 'z' ? (char)(character - 'a' + 'A') : character;
}

static bool is_letter_or_digit(char character)
{
    return (character >= 'A' && character <= 'Z') || (character >= '0' && character <= '9');
}

/* 49 CFR 565.15 (c): letters have values, positions have weights, and the sum modulo 11 stands at the ninth. */
static char check_digit(const char *vin)
{
    static const char letters[] = "ABCDEFGHJKLMNPRSTUVWXYZ", values[] = "12345678123457923456789";
    static const unsigned weights[] = {8, 7, 6, 5, 4, 3, 2, 10, 0, 9, 8, 7, 6, 5, 4, 3, 2};
    unsigned sum = 0;
    for (size_t i = 0; i < WF_COUNT(weights); i++) {
        const char *letter = strchr(letters, vin[i]);
        sum += weights[i] * (unsigned)((letter != NULL ? values[letter - letters] : vin[i]) - '0');
    }
    return sum % 11 == 10 ? 'X' : (char)('0' + sum % 11);
}

const char *custody_vin_normalize(enum custody_vin_policy policy, const char *text, char vin[CUSTODY_VIN_MAX + 1])
{
    size_t size = strlen(text), least = policy == CUSTODY_VIN_LENIENT ? 11 : CUSTODY_VIN_MAX;
    if (size < least || size > CUSTODY_VIN_MAX)
        return policy == CUSTODY_VIN_LENIENT ? "a VIN has 11 to 17 characters" : "a VIN has 17 characters";
    for (size_t i = 0; i <= size; i++) vin[i] = upper(text[i]);
    for (size_t i = 0; i < size; i++)
        if (!is_letter_or_digit(vin[i])) return "a VIN has letters and digits only";
    if (policy == CUSTODY_VIN_LENIENT) return NULL;
    if (strpbrk(vin, "IOQ") != NULL) return "a VIN has no I, O and Q";
    if (policy == CUSTODY_VIN_CHECKDIGIT && vin[8] != check_digit(vin)) return "its check digit is wrong";
    return NULL;
}

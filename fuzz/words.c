/*
 * How the weft command takes text apart (the lines `// weft:`, $CC, lists of inputs): against a second splitter written
 * from the rule, and there and back again.
 */
#include "../tools/weft/text.c" /* whole: what it takes is given back here, after every input */

#include "fuzz.h"

static void give_back(void)
{
    while (all_taken != NULL) {
        struct taken *before = all_taken->before;
        free(all_taken);
        all_taken = before;
    }
}

/* The rule: words are parted at white space; a backslash takes the next character as it is, unless that ends the line
 * or the text. Gives the word's end in `text`; `word` has room for all of it. */
static const char *next_word(const char *text, char *word)
{
    while (isspace((unsigned char)*text)) text++;
    while (*text != '\0' && !isspace((unsigned char)*text)) {
        bool escapes = *text == '\\' && text[1] != '\0' && text[1] != '\n';
        text += escapes;
        *word++ = *text++;
    }
    *word = '\0';
    return text;
}

static void check_split(const struct words *words, const char *text)
{
    char *word = take_memory(strlen(text) + 1);
    for (size_t i = 0; i < words->count; i++) {
        text = next_word(text, word);
        CLAIM(strcmp(words->list[i], word) == 0);
    }
    next_word(text, word);
    CLAIM(word[0] == '\0');
    CLAIM(words->count == 0 || words->list[words->count] == NULL);
}

static bool holds_newline(const struct words *words)
{
    for (size_t i = 0; i < words->count; i++)
        if (strchr(words->list[i], '\n') != NULL) return true;
    return false;
}

/* With a backslash before every character, words come back as they were, but for a newline, which always parts. */
static void check_round_trip(const struct words *words)
{
    struct words escaped = {0}, again = {0};
    for (size_t i = 0; i < words->count; i++) {
        char *text = take_memory(2 * strlen(words->list[i]) + 1), *end = text;
        for (const char *from = words->list[i]; *from != '\0'; from++) {
            *end++ = '\\';
            *end++ = *from;
        }
        *end = '\0';
        add_word(&escaped, text);
    }
    add_split(&again, join_words(&escaped, ' '));
    CLAIM(again.count == words->count);
    for (size_t i = 0; i < words->count; i++) CLAIM(strcmp(again.list[i], words->list[i]) == 0);
}

int LLVMFuzzerTestOneInput(const uint8_t *bytes, size_t size)
{
    char *text = take_memory(size + 1);
    memcpy(text, bytes, size);
    text[size] = '\0';
    struct words words = {0};
    add_split(&words, text);
    check_split(&words, text);
    if (!holds_newline(&words)) check_round_trip(&words);
    CLAIM(strlen(directory_part(text)) + strlen(base_name(text)) == strlen(text));
    give_back();
    return 0;
}

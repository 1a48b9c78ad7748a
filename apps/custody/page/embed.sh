#!/bin/sh
# Writes an assembly file that holds files, each with a tag of what is in it: embed.sh FOLDER OUTPUT FILE...
# Of style.css it makes page_style_css_begin, page_style_css_end, and the text page_style_css_tag.
set -eu
folder=$1
output=$2
shift 2
{
    printf '#ifdef __CET__\n#include <cet.h>\n#endif\n'
    printf '    .section .rodata\n'
    for file in "$@"; do
        name=page_$(printf %s "$file" | tr '.-' '__')
        tag=$(sha256sum "$folder/$file" | cut -c 1-32)
        printf '    .globl %s_begin, %s_end, %s_tag\n' "$name" "$name" "$name"
        printf '%s_begin:\n    .incbin "%s/%s"\n%s_end:\n' "$name" "$folder" "$file" "$name"
        printf '%s_tag:\n    .asciz "\\"%s\\""\n' "$name" "$tag"
    done
    printf '    .section .note.GNU-stack, "", %%progbits\n'
} >"$output"

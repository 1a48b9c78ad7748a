#!/bin/sh
# Writes an assembly file that holds the documentation page: embed.sh FOLDER OUTPUT
set -eu
line() {
    printf '%s\n' "$1"  # echo would turn a backslash and an n into a line's end
}

part() {  # NAME FILE: the file's bytes, between two symbols
    printf '    .globl docs_page_%s_begin, docs_page_%s_end\n' "$1" "$1"
    printf '    .hidden docs_page_%s_begin, docs_page_%s_end\n' "$1" "$1"
    printf 'docs_page_%s_begin:\n    .incbin "%s/%s"\ndocs_page_%s_end:\n' "$1" "$folder" "$2" "$1"
}

folder=$1
{
    printf '#ifdef __CET__\n#include <cet.h>\n#endif\n'  # or the linker takes the protection from all of the library
    line '    .section .rodata'
    line '    .globl docs_page_begin, docs_page_end'
    line '    .hidden docs_page_begin, docs_page_end'
    line 'docs_page_begin:'
    part head head.html
    line '    .ascii "<style>"'
    part style style.css
    line '    .ascii "</style>\n</head>\n"'
    part body body.html
    line '    .ascii "<script>"'
    part script script.js
    line '    .ascii "</script>\n</body>\n</html>\n"'
    line 'docs_page_end:'
    line '    .section .note.GNU-stack, "", %progbits'
} >"$2"

#!/bin/sh
# Writes an assembly file that holds the documentation page: embed.sh FOLDER OUTPUT
set -eu
part() {  # NAME FILE: the file's bytes, between two symbols
    printf '    .globl docs_page_%s_begin, docs_page_%s_end\n' "$1" "$1"
    printf '    .hidden docs_page_%s_begin, docs_page_%s_end\n' "$1" "$1"
    printf 'docs_page_%s_begin:\n    .incbin "%s/%s"\ndocs_page_%s_end:\n' "$1" "$folder" "$2" "$1"
}

folder=$1
{
    printf '#ifdef __CET__\n#include <cet.h>\n#endif\n'  # or the linker takes the protection from all of the library
    echo '    .section .rodata'
    echo '    .globl docs_page_begin, docs_page_end'
    echo '    .hidden docs_page_begin, docs_page_end'
    echo 'docs_page_begin:'
    part head head.html
    echo '    .ascii "<style>"'
    part style style.css
    echo '    .ascii "</style>\n</head>\n"'
    part body body.html
    echo '    .ascii "<script>"'
    part script script.js
    echo '    .ascii "</script>\n</body>\n</html>\n"'
    echo 'docs_page_end:'
    echo '    .section .note.GNU-stack, "", %progbits'
} >"$2"

#!/bin/sh
# The unwind rules of the context switch are exact: a debugger walks a running task to its first function and stops
# there, instruction by instruction through the switch itself. unwind.sh BUILD
set -u
cd "$(dirname "$0")/../.."
build=$1
said=$(mktemp)
trap 'rm -f "$said"' EXIT

gdb -q -batch -ex 'set debuginfod enabled off' -ex 'break stop_here' -ex run -ex backtrace \
    -ex 'break weft_fiber_switch' -ex continue \
    -ex 'python
import gdb
for step in range(60):
    frame, names = gdb.newest_frame(), []
    while frame is not None:
        names.append(frame.name() or "?")
        frame = frame.older()
    if names[-1] not in ("weft_fiber_start", "main", "_start", "__libc_start_call_main"):
        print("BROKEN", step, names)
    gdb.execute("stepi", to_string=True)
print("WALKED")
end' "$build/tests/fiber_unwind" >"$said" 2>&1

failed=0
for part in 'stop_here' 'inner' 'running_task' 'fiber_main' 'weft_fiber_start' 'WALKED'; do
    grep -q "$part" "$said" || { echo "missing in the backtrace: $part"; failed=1; }
done
grep BROKEN "$said" && failed=1
grep -q 'previous frame\|corrupt stack' "$said" && { echo "the walk did not stop at the first frame"; failed=1; }
[ "$failed" = 0 ] || cat "$said"
echo "$((1 - failed)) passed, $failed failed"
exit "$failed"

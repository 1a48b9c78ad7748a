#!/bin/sh
# Runs every example on every driver and compares what it prints with what it claims: run_all.sh BUILD
set -u
[ $# = 1 ] || { echo "usage: run_all.sh BUILD" >&2; exit 2; }
programs=$1/examples
work=$(mktemp -d)
server=""
trap '[ -z "$server" ] || kill -9 "$server" 2>/dev/null; rm -rf "$work"' EXIT
passed=0
failed=0

verdict() {  # STATUS NAME
    if [ "$1" = 0 ]; then
        passed=$((passed + 1))
    else
        failed=$((failed + 1))
        echo "FAILED $WEFT_DRIVER $2"
        sed 's/^/    /' "$work/problems" "$work/err"
    fi
}

# Line n of the output must match, as a whole, the pattern in line n of standard input.
check() {  # NAME [ARGUMENT...]
    name=$1
    cat >"$work/wanted"
    timeout 60 "$programs/$@" >"$work/out" 2>"$work/err"
    status=$?
    : >"$work/problems"
    [ $status = 0 ] || echo "exit status $status" >>"$work/problems"
    awk 'NR == FNR { wanted[NR] = $0; lines = NR; next }
         $0 !~ ("^(" wanted[FNR] ")$") { print "line " FNR ": " $0; print "wanted: " wanted[FNR] }
         { got = FNR }
         END { if (got != lines) print got + 0 " lines, wanted " lines }' "$work/wanted" "$work/out" >>"$work/problems"
    [ -s "$work/err" ] && [ "${may_report:-no}" = no ] && echo "unexpected on standard error" >>"$work/problems"
    [ ! -s "$work/problems" ]
    verdict $? "$name"
}

# It needs weft-http, and libpsl.
check_client() {
    [ ! -x "$programs/client_live" ] || check client_live <<'END'
event 1: tick
event 2: tock
event 3: tick
event 4: tock
it says: who=ada
it says: hello
END
}

start_server() {  # [PROGRAM]; gives its port in $port
    : >"$work/problems"
    : >"$work/server"  # here and now: the one before left its port there
    : >"$work/server"  # the shell behind the & may empty it only after the first look
    "$programs/${1:-echo_server}" --port 0 >"$work/server" 2>"$work/err" &
    server=$!
    tries=0
    until port=$(sed -n 's/^listening on port \([1-9][0-9]*\)$/\1/p' "$work/server") && [ -n "$port" ]; do
        tries=$((tries + 1))
        if [ $tries = 200 ]; then
            echo "the server printed no port" >"$work/problems"
            kill -9 "$server"
            server=""
            return 1
        fi
        sleep 0.05  # real time: the server is another process
    done
}

end_server() {  # SIGNALS WANTED-STATUS
    for number in $(seq "$1"); do
        [ "$number" = 1 ] || sleep 0.5  # real time: two signals at once are one
        kill -TERM "$server"
    done
    wait "$server"
    status=$?
    server=""
    [ $status = "$2" ] || echo "the server's exit status is $status, wanted $2" >>"$work/problems"
}

check_echo() {
    start_server && {
        long=$(seq -s , 300)
        timeout 20 "$programs/echo_client" --port "$port" hello "two words" "$long" >"$work/out" 2>>"$work/err" ||
            echo "the client's exit status is $?" >>"$work/problems"
        printf '%s\n' hello "two words" "$long" | cmp -s - "$work/out" || echo "not echoed" >>"$work/problems"
        end_server 1 0  # no connection is left: it drains at once
        timeout 20 "$programs/echo_client" --port "$port" hello >"$work/out" 2>"$work/err" &&
            echo "a client was served after the end" >>"$work/problems"
        grep -q "Connection refused" "$work/err" || echo "the client did not say why" >>"$work/problems"
    }
    [ ! -s "$work/problems" ]
    verdict $? "echo: payload comes back, SIGTERM drains, status 0"
}

# An idle connection is open when the signal comes: it is ended, nothing is cut.
check_service() {
    start_server service && {
        talk="exec 3<>/dev/tcp/127.0.0.1/$port && echo hi >&3 && read -r line <&3 && echo \$line && cat <&3"
        bash -c "$talk" >"$work/out" 2>>"$work/err" &
        client=$!
        tries=0
        until grep -q hi "$work/out" || [ $tries = 200 ]; do
            tries=$((tries + 1))
            sleep 0.05  # real time: the client is another process
        done
        end_server 1 0
        wait "$client"
        echo hi | cmp -s - "$work/out" || echo "not echoed" >>"$work/problems"
    }
    [ ! -s "$work/problems" ]
    verdict $? "service: on every core; SIGTERM drains, status 0"
}

# A connection that stays open outlives the first signal; the second cuts it.
check_cut() {
    start_server && {
        mkfifo "$work/open"
        exec 4<>"$work/open"  # both ways: neither side waits for the other to open it
        talk="exec 3<>/dev/tcp/127.0.0.1/$port && echo hi >&3 && read -r line <&3 && echo \$line"
        bash -c "$talk && read -r _ <'$work/open'" >"$work/out" 2>>"$work/err" &
        client=$!
        tries=0
        until grep -q hi "$work/out" || [ $tries = 200 ]; do
            tries=$((tries + 1))
            sleep 0.05  # real time: the client is another process
        done
        grep -q hi "$work/out" || echo "not echoed" >>"$work/problems"
        end_server 2 143
        echo >&4
        wait "$client"
        exec 4>&-
        rm "$work/open"
    }
    [ ! -s "$work/problems" ]
    verdict $? "echo: an open connection is cut by the second SIGTERM, status 143"
}

# Two files: one is appended to and then replaced, the other is not there at first.
check_tail() {
    : >"$work/problems"
    echo before >"$work/one"
    rm -f "$work/two"
    : >"$work/err" # of the one before: the shell behind the & empties it only after the first look
    timeout 60 "$programs/tail" --until "the end" "$work/one" "$work/two" >"$work/out" 2>"$work/err" &
    follower=$!
    tries=0
    until grep -q following "$work/err" || [ $tries = 200 ]; do
        tries=$((tries + 1))
        sleep 0.05  # real time: the program is another process
    done
    echo appended >>"$work/one"
    echo replaced >"$work/new"
    until grep -q appended "$work/out" || [ $tries = 400 ]; do
        tries=$((tries + 1))
        sleep 0.05  # real time: what was appended is read before the file is replaced
    done
    mv "$work/new" "$work/one"
    until grep -q replaced "$work/out" || [ $tries = 600 ]; do
        tries=$((tries + 1))
        sleep 0.05  # real time: the program is another process
    done
    echo the end >"$work/two"
    wait "$follower" || echo "the exit status is $?" >>"$work/problems"
    printf '%s\n' "$work/one: appended" "$work/one: replaced" "$work/two: the end" | cmp -s - "$work/out" ||
        cat "$work/out" >>"$work/problems"
    [ ! -s "$work/problems" ]
    verdict $? "tail: what is appended, replaced and made is printed"
}

# A bare system may have no /etc/hosts.
check_resolve_name() {
    getent ahostsv4 localhost >/dev/null || { echo "resolve localhost: the name is not known here; not run"; return; }
    check resolve localhost <<'END'
localhost:.* 127[.]0[.]0[.]1:0.*
END
}

check_lines() {
    start_server line_server && {
        long=$(seq -s , 100)
        talk="exec 3<>/dev/tcp/127.0.0.1/$port && printf '%s\n' 'add 2 3' 'say hello' hm '$long' quit >&3 && cat <&3"
        bash -c "$talk" >"$work/out" 2>>"$work/err" || echo "the client's exit status is $?" >>"$work/problems"
        printf '%s\n' 5 hello 'what is "hm"?' 'too long: 200 bytes are the most' | cmp -s - "$work/out" ||
            { echo "answered:"; cat "$work/out"; } >>"$work/problems"
        end_server 1 0
    }
    [ ! -s "$work/problems" ]
    verdict $? "line_server: commands are answered, a long one is refused"
}

check_usage() {
    : >"$work/problems"
    : >"$work/err"
    for arguments in "--port x" "--port" "--port 70000" "1 2 3"; do
        # shellcheck disable=SC2086
        timeout 20 "$programs/echo_server" $arguments >"$work/out" 2>&1
        [ $? = 2 ] || echo "echo_server $arguments: not refused with status 2" >>"$work/problems"
    done
    [ ! -s "$work/problems" ]
    verdict $? "echo: wrong arguments are refused"
}

run_all() {
    check hello <<'END'
Hello, world!
END
    check many_sleeps <<'END'
10000 tasks slept 1 second each: [1-3][.][0-9] seconds in all
END
    [ ! -x "$programs/http_dashboard" ] || check http_dashboard <<'END'
one by one: user orders notices weather, in [4-9] tenths of a second
connections so far: 1
at once: user orders notices weather, in [1-3] tenths of a second
connections so far: [1-4]
what fails says so: GET http://127.0.0.1:[0-9]+/nothing: 404 Not Found: {"detail":"there is nothing at this path"}
END
    [ ! -x "$programs/http_fetch_many" ] || check http_fetch_many <<'END'
http://127.0.0.1:[0-9]+/hello: 200, 5 bytes
http://127.0.0.1:[0-9]+/nothing: 404, 42 bytes
http://127.0.0.1:[0-9]+/slow: timeout
http://127.0.0.1:[0-9]+/hello: 200, 5 bytes
http://127.0.0.1:1/nobody: GET http://127.0.0.1:1/nobody: cannot connect to 127.0.0.1 port 1: .*
END
    check timeout_fallback <<'END'
100 ms for the primary, then 100 ms for the cache:
fast: primary answered; times the fallback was asked: 0
slow: cache answered; times the fallback was asked: 1
slow, nothing cached: failed: primary: Deadline expired; cache: No such file or directory
END
    check fail_fast <<'END'
ended after 0[.][1-4] s with: Invalid argument
completed: 0, errors: 1
  run_group > wrong: the value is wrong
END
    check error_kinds <<'END'
  taken: order 1: quantity 0 [(]shop > check_all > order-1[)]
  taken: order 2: no such customer [(]shop > check_all > order-2[)]
  taken: order 3: quantity -4 [(]shop > check_all > order-3[)]
  taken: order 6: no address [(]shop > check_all > order-6[)]
bad values: 3, missing customers: 1
the caller gets: Input/output error
  passed on: order 5: the disk failed [(]shop > check_all > order-5[)]
END
    check cleanup_shield <<'END'
work cut after 50 ms:
bad: Deadline expired, leases still held: 1
refused: Deadline expired, leases still held: 1
good: Deadline expired, leases still held: 0
best: Deadline expired, leases still held: 0
END
    check bounded_gather <<'END'
100 jobs of 10 ms, 10 at a time: 0[.][1-6] s
peak: 10, results in order: yes
END
    check race <<'END'
near won after 0[.][2-6] s
  far: Cancelled
  broken: Connection refused
  near: Success
END
    check completion_order <<'END'
from town after 50 ms
from the country after 100 ms
from abroad after 150 ms
END
    check task_locals <<'END'
[[]r-1[]] user
[[]guest[]] prices
[[]r-1[]] orders
[[]r-2[]] user
[[]guest[]] prices
[[]r-2[]] orders
[[]r-1[]] done
[[]r-2[]] done
[[]-[]] no request here
END
    check work_queue <<'END'
clerk 1: order 4 [(]urgent[)]
clerk 2: order 5 [(]urgent[)]
clerk 1: order 1
clerk 2: order 2
clerk 1: order 3
all done: 5 sent, 5 received
END
    check first_of_several <<'END'
job 1
job 2
nothing for 200 ms
job 3
stopped after 3 jobs
END
    for name in embed_poll embed_libuv embed_glib; do
        [ ! -x "$programs/$name" ] || check $name <<'END'
a task: 1
a task: 2
a task: 3
(it slept between turns|libuv ticked beside it|GLib ticked beside it): yes
END
    done
    [ ! -x "$programs/foreign_cares" ] || check foreign_cares <<'END'
www[.]example[.]org: 192[.]0[.]2[.]7 [(]Successful completion[)]
END
    [ ! -x "$programs/curl_multi" ] || check curl_multi <<'END'
200: page 1
200: page 2
200: page 3
END
    check port_scanner <<'END'
[0-9]+ is open
ports: 1, open: 1, refused: 0, silent: 0
END
    check chat_server <<'END'
bob hears: hello from ada
eve hears: hello from ada
ada hears: hello from bob
eve hears: hello from bob
END
    check socks_proxy <<'END'
through the proxy: hello
a name that nobody has: refused with 4
END
    check resolve 127.0.0.1 ::1 <<'END'
127[.]0[.]0[.]1: 127[.]0[.]0[.]1:0
::1: [[]::1[]]:0
END
    check_resolve_name
    check cancel_token <<'END'
download: Cancelled, because: the user closed the window
upload: Cancelled, because: the user closed the window
backup: Success
scopes still linked: 0
END
    check offload <<'END'
4 blocking calls of 200 ms: 0[.][2-6] s, the sum is 499500
the ticker went on meanwhile: yes
END
    check pass_descriptor <<'END'
hello from the worker, you are number 1
hello from the worker, you are number 2
hello from the worker, you are number 3
END
    check udp_echo <<'END'
question 1
question 2
question 3
question 4
question 5
END
    check retry <<'END'
waits of 10 and 20 ms:
  attempt 1: Connection refused; the next one in 10 ms
  attempt 2: Connection refused; the next one in 20 ms
shaky: 42 after 3 calls
down: 4 attempts in 0[.][0-9]+ s(: -110 Connection timed out|, -110 Connection timed out)*
strict: Invalid argument, after 1 call
END
    check background <<'END'
request of 'ada' answered
mail to ada sent
request of '' answered
mail failed: a mail to nobody [(]Invalid argument[)]
Worker-1, version 1, cancelled
Worker-1, version 2, cancelled
beat 1
beat 2
beat 3
beat 4
beat 5
1 background task lives
0 are left
END
    check circuit_breaker <<'END'
order 1: Connection refused
order 2: Connection refused
  closed -> open
order 3: Connection refused
order 4: Circuit breaker is open
order 5: Circuit breaker is open
order 6: Circuit breaker is open
the shop was asked 3 times
  open -> half open
  half open -> closed
order 7: Success
shop: closed, last failure -111 Connection refused; 4 calls, 3 failures, 0 slow, 3 refused, opened 1 times
END
    check cache <<'END'
100 were greeted
ada, version 1; 1 queries so far
ada, version 2; 2 queries so far
bob: no user bob; 3 queries so far
bob: no user bob; 3 queries so far
END
    check rate_limit <<'END'
30 calls in [0-9][.][0-9] s, at most [1-5] at once, never less than ([0-9]|10) ms apart
END
    check pipeline <<'END'
  quotes, attempt 1: Deadline expired, once more
  quotes, attempt 2: Connection reset by peer, once more
  quotes, attempt 3: Success
the price is 99
END
    check pool <<'END'
query 1: connection 2 broke
11 answers; 4 opened, at most 3 at once
drained: Success; open: 0
END
    check hedge <<'END'
the (second|third) answered 42; [23] replicas were asked
END
    check open_once <<'END'
reader 1: Connection refused, tries so far: 1
reader 2: Success, tries so far: 2
reader 3: Success, tries so far: 2
reader 4: Success, tries so far: 2
END
    check pages <<'END'
150 orders, 4 fetches
found order 60, 2 fetches, the connection is closed
END
    check transform <<'END'
of 100 records 90 processed in order, at most 1 at once
of 100 records 90 processed in order, at most 10 at once
END
    check ticker <<'END'
item_0 after 0[.][1-4] s
item_1 after 0[.][2-5] s
item_2 after 0[.][3-6] s
item_3 after 0[.][4-7] s
item_4 after 0[.][5-8] s
END
    check cursor <<'END'
100 rows to key 100
100 rows to key 200
100 rows to key 300
100 rows to key 400
100 rows to key 500
the end: 0, and again: 0
2 batches, closed: yes
END
    check source_cleanup <<'END'
end: Success, 11 reads, opened 1, closed 1
error: Input/output error, 4 reads, opened 1, closed 1
the first six: Success, 6 reads, opened 1, closed 1
cancel: Deadline expired, 2 reads, opened 1, closed 1
END
    check collect <<'END'
all: 0 1 2 3 4 5 6 7 8 9
even: 0 2 4 6 8
set of last digits: 0 1 2 3 4 5 6 7 8 9
map[[]9[]]: 81
END
    check stages <<'END'
batch 0: 3 items from 10 on
batch 1: 3 items from 13 on
batch 2: 1 items from 16 on
1 squared: 1
2 squared: 4
3 squared: 9
came: 1
came: 2
came: 100
came: 3
came: 4
END
    check pitfalls/blocked_loop <<'END'
bad: the others waited for up to ([5-9][0-9][0-9]|1[0-9][0-9][0-9]) ms
good: the others waited for up to ([1-3]?[0-9]?[0-9]) ms
best: the others waited for up to ([1-3]?[0-9]?[0-9]) ms
END
    check pitfalls/forgotten <<'END'
  weft reports: a scope was left with 1 children running
bad: Success, attempts to send: 0
good: Connection refused, attempts to send: 1
best: Connection refused, attempts to send: 1
  compare > mail: no mail to ada: the mail server is down
unread: Connection refused, attempts to send: 1
END
    may_report=yes # of the bad one, which is told of what it leaves open
    check pitfalls/not_closed <<'END'
bad: 100 requests cut, 200 descriptors left open
good: 100 requests cut, 0 descriptors left open
best: 100 requests cut, 0 descriptors left open
END
    may_report=no
    check pitfalls/one_by_one <<'END'
bad: 1[.][0-9]+ s, 10 right answers
good: 0[.][1-6][0-9]* s, 10 right answers
best: 0[.][2-8][0-9]* s, 10 right answers
END
    check pitfalls/plain_code <<'END'
bad: Aborted: .*wf_sleep was called outside a task [.][.][.]
good: Success, the price is 42
best: the price is 42
END
    check pitfalls/too_many <<'END'
bad: [0-9]+ of 10000 failed, at most 9[0-9][0-9] descriptors, [0-9]+ stacks, [0-9]+ KiB
good: 0 of 10000 failed, at most 10 descriptors, [0-9]+ stacks, [0-9]+ KiB
best: 0 of 10000 failed, at most 10 descriptors, 1[0-9] stacks, [0-9]+ KiB
END
    shop='level=(info|warn) module=shop msg='
    when='time=20[0-9-]+T[0-9:.]+Z'
    took='duration_ms=[0-9.]+'
    good='customer=ada order=18 request="POST .orders" trace_id=4bf92f3577b34da6a3ce929d0e0e4736 span_id=[0-9a-f]+'
    bad='error="Connection refused" customer=grace order=17 request="POST .orders" trace_id=[0-9a-f]+ span_id=[0-9a-f]+'
    check request_log <<END
$when $shop"charge completed" $took $good task=serve#1
$when $shop"label printed" express=true $good job=print_label#1
$when $shop"order completed" $took $good task=serve#1
$when $shop"charge failed" $took $bad task=serve#1
$when $shop"order failed" $took $bad task=serve#1
$when $shop"no request here" task=serve#1
END
    check metrics <<'END'
# HELP shop_requests_total Requests answered[.]
# TYPE shop_requests_total counter
shop_requests_total[{]method="other",status="other"[}] 1
shop_requests_total[{]method="GET",status="200"[}] 2
shop_requests_total[{]method="POST",status="201"[}] 1
shop_requests_total[{]method="GET",status="404"[}] 1
# HELP shop_in_flight Requests that are being answered[.]
# TYPE shop_in_flight gauge
shop_in_flight 0
# HELP shop_request_duration_seconds How long they took[.]
# TYPE shop_request_duration_seconds histogram
shop_request_duration_seconds_bucket[{]le="0[.]01"[}] [0-4]
shop_request_duration_seconds_bucket[{]le="0[.]1"[}] [0-5]
shop_request_duration_seconds_bucket[{]le="1"[}] 5
shop_request_duration_seconds_bucket[{]le="[+]Inf"[}] 5
shop_request_duration_seconds_sum 0[.][0-9]+
shop_request_duration_seconds_count 5
END
    check shell_pipeline "seq 100" "grep 7" "wc -l" <<'END'
19
every program ended with status 0
END
    check shell_pipeline "true" "false" <<'END'
a program ended with status 1
END
    check parallel_ping --with true one two three <<'END'
one: answers
two: answers
three: answers
3 of 3 answer
END
    check copy "$programs/copy" <<END
 10 %
 20 %
 30 %
 40 %
 50 %
 60 %
 70 %
 80 %
 90 %
100 %
received: $(wc -c <"$programs/copy") bytes
END
    check every_core <<'END'
loop 0 served 10 connections
loop 1 served 10 connections
loop 2 served 10 connections
loop 3 served 10 connections
failed: 0
END
    check shared_work <<'END'
1000 jobs on 3 loops: 91873 primes in all
END
    check bridge <<'END'
the thread asked for 7 and got 49
the thread asked for 8 and got 64
the thread asked for 9 and got 81
END
    check_client
    check_service
    check_echo
    check_cut
    check_lines
    check_tail
    check_usage
}

export WEFT_WATCHDOG=off # a busy machine makes loops wait
for WEFT_DRIVER in uring epoll; do
    export WEFT_DRIVER
    if "$programs/hello" 2>&1 | grep -qE "Operation not permitted|Function not implemented"; then
        echo "$WEFT_DRIVER: this kernel refuses it; not run"
        continue
    fi
    run_all
done
echo "$passed passed, $failed failed"
[ $failed = 0 ] && [ $passed -gt 0 ]

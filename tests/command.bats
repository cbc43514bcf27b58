#!/usr/bin/env bats
# The command as a user meets it: what it prints, what it refuses, and with which exit status.

# shellcheck disable=SC2030,SC2031 # each test is a shell of its own

load common

setup() {
    overlap=$(realpath "${OVERLAP:-build/overlap}")
    export OVERLAP=$overlap
    tmp=$BATS_TEST_TMPDIR
    export XDG_CACHE_HOME=$BATS_FILE_TMPDIR/cache
    strategies=$BATS_TEST_DIRNAME/data/strategies
}

# refuses STATUS TEXT ARGUMENT...: one line on stderr that holds TEXT, nothing on stdout.
refuses() {
    local status=0 wanted=$1 text=$2
    shift 2
    "$overlap" "$@" > "$tmp/out" 2> "$tmp/err" || status=$?
    cat "$tmp/err"
    [ "$status" -eq "$wanted" ]
    [ ! -s "$tmp/out" ]
    [ "$(wc -l < "$tmp/err")" -eq 1 ]
    grep -qF -- "$text" "$tmp/err"
}

# field NAME: its value in the line of JSON on standard input.
field() {
    sed -n "s/.*\"$1\":\"\{0,1\}\([^,\"}]*\).*/\1/p"
}

@test "--version and --help answer" {
    run "$overlap" --version
    [ "$status" -eq 0 ]
    [[ $output == "overlap "* ]]
    run "$overlap" --help
    [ "$status" -eq 0 ]
    for name in list run bench summary verify doctor origin; do
        grep -q "^  $name " <<< "$output"
        "$overlap" "$name" --help > "$tmp/help"
        grep -q "^usage: overlap $name" "$tmp/help"
    done
}

@test "list shows a strategy for each file, and a workload for each" {
    cd "$BATS_TEST_DIRNAME/.."
    grep -l '^STRATEGY(' strategies/*.c | sed 's/.*\///; s/\.c//' | sort > "$tmp/files"
    "$overlap" list strategies --json | sed -n 's/^      "name": "\(.*\)",/\1/p' | sed 's/-variant//' \
        | sort > "$tmp/listed"
    cat "$tmp/listed"
    [ "$(wc -l < "$tmp/listed")" -ge "$(wc -l < "$tmp/files")" ]
    while read -r file; do grep -qx "$file" "$tmp/listed"; done < "$tmp/files"
    grep -l '^WORKLOAD(' workloads/*.c | sed 's/.*\///; s/\.c//' | sort > "$tmp/files"
    "$overlap" list workloads --json | sed -n 's/^      "name": "\(.*\)",/\1/p' | sort \
        | diff "$tmp/files" -
}

@test "run --json prints one line with the promised keys" {
    "$overlap" run -s coroutine -w mixed -n 4 --unit 1 --json > "$tmp/line"
    [ "$(wc -l < "$tmp/line")" -eq 1 ]
    for key in schema strategy workload tasks workers cpus seed unit_ns ok digest tasks_done \
        tasks_peak wall_ns user_ns system_ns bound_ns ideal_ns task_switches voluntary_switches \
        involuntary_switches latency_p50_ns latency_p99_ns latency_max_ns stretch_max; do
        grep -q "\"$key\":" "$tmp/line" || { echo "no $key"; false; }
    done
    [ "$(field ok < "$tmp/line")" = true ]
    [ "$(field tasks_done < "$tmp/line")" -eq 4 ]
    [ "$(field task_switches < "$tmp/line")" -eq 12 ]
}

@test "the command in a record runs that trial again" {
    "$overlap" run -s sequential -w cpu -n 2 --work 2ms --working-set 64KiB --json > "$tmp/line"
    command=$(field command < "$tmp/line")
    PATH=$(dirname "$overlap"):$PATH $command > "$tmp/again"
    [ "$(field digest < "$tmp/line")" = "$(field digest < "$tmp/again")" ]
}

@test "output that cannot be written is a failure" {
    [ -e /dev/full ] || skip "no /dev/full"
    status=0
    "$overlap" run -s sequential -w sleep -n 1 --unit 1 --json > /dev/full 2> "$tmp/err" || status=$?
    [ "$status" -eq 1 ]
    grep -q 'cannot write the output: No space left' "$tmp/err"
}

@test "run draws a table and a timeline, without colour when nobody looks" {
    "$overlap" run -s pthreads -w mixed -n 4 --unit 10 > "$tmp/out"
    grep -q 'wall time' "$tmp/out"
    grep -q 'task 3' "$tmp/out"
    grep -q '█' "$tmp/out"
    refute grep -q $'\033' "$tmp/out"
}

@test "a timeline tells who waits for the lock" {
    for strategy in gil pthreads; do
        "$overlap" run -s $strategy -w cpu -n 3 --work 12ms --timeline "$tmp/$strategy.csv" > "$tmp/out"
    done
    for task in 0 1 2; do
        grep -q "^$task,,ready-lock," "$tmp/gil.csv"
    done
    grep ,running, "$tmp/gil.csv" | sort -t , -k 4n | awk -F , '$4 < end { exit 1 } { end = $5 }'
    refute grep -q ready-lock "$tmp/pthreads.csv"
}

@test "reads that end within a page give what sequential reads" {
    local wanted digest strategy
    wanted=$("$overlap" run -s sequential -w file -n 2 --chunk 1000 --json | field digest)
    [ -n "$wanted" ]
    for strategy in $("$overlap" list strategies --json | sed -n 's/^      "name": "\(.*\)",/\1/p'); do
        echo "$strategy"
        [ "$strategy" != uring ] || "$overlap" run -s uring -w sleep --unit 1 > "$tmp/out" || continue
        digest=$("$overlap" run -s "$strategy" -w file -n 2 --chunk 1000 --json | field digest)
        [ "$digest" = "$wanted" ] || { echo "$strategy: $digest, not $wanted"; false; }
    done
    [ -n "$strategy" ]
}

@test "no core runs two tasks at once, also while their threads are young" {
    for _ in 1 2 3 4 5 6 7 8; do
        "$overlap" run -s pthreads -w cpu -n 4 --work 20ms --cpus all --pass timeline --json \
            --timeline "$tmp/young.csv" > "$tmp/young.json"
        grep -q '"switch_source":"perf"' "$tmp/young.json" || skip "perf is refused here"
        grep ,running, "$tmp/young.csv" | sort -t , -k 2n,2 -k 4n,4 | awk -F , '
            $2 == cpu && (end < $5 ? end : $5) - $4 > 1e6 { print "core " cpu ": task " $1 " runs beside task " task; bad = 1 }
            $2 != cpu || $5 > end { cpu = $2; end = $5; task = $1 }
            END { exit bad }'
    done
}

@test "what is not known, or is a multiple of nothing, is not in the table" {
    "$overlap" run -s coroutine -w cpu -n 2 --work 0 > "$tmp/out"
    grep -q '^  wall time  *[0-9.]* [mµn]s$' "$tmp/out"
    "$overlap" run -s coroutine -w sleep -n 2 --unit 1 --cancel 0.0001 > "$tmp/out"
    grep -q '^  cancelled  *0 tasks$' "$tmp/out"
    "$overlap" run -s "$strategies/terse" -w sleep -n 7 -c one > "$tmp/out"
    grep -q '^sleep × 7 under .*/terse, cores [0-9]*$' "$tmp/out"
    grep -q '^  wall time  *1 ms$' "$tmp/out"
    [ "$(wc -l < "$tmp/out")" -eq 3 ]
    "$overlap" run -s "$strategies/wild" -w sleep > "$tmp/out"
    grep -q '^  digest  *a b$' "$tmp/out"
    grep -qF '?[31mred and more' "$tmp/out"
    "$overlap" run -s "$strategies/good" -w sleep -n 2 --unit 1 > "$tmp/out"
    for row in 'wall time' 'CPU time' latency switches '  per task' tasks digest; do grep -q "^  $row  " "$tmp/out"; done
}

@test "run colours on a terminal, and NO_COLOR stops it" {
    script -qec true /dev/null > /dev/null 2>&1 || skip "script(1) cannot make a terminal here"
    TERM=xterm script -qec "$overlap run -s coroutine -w mixed --unit 5" /dev/null > "$tmp/out"
    grep -q $'\033\[38' "$tmp/out"
    NO_COLOR=1 TERM=xterm script -qec "$overlap run -s coroutine -w mixed --unit 5" /dev/null > "$tmp/out"
    refute grep -q $'\033\[38' "$tmp/out"
}

@test "every strategy does the work of sequential, or of another where that would wait forever" {
    "$overlap" verify > "$tmp/out"
    grep -q 'pingpong  *sequential  *cannot run here: deadlocked by design' "$tmp/out"
    [ "$(grep -c 'pingpong .* same$' "$tmp/out")" -ge 3 ]
    grep -qx 'all that can run do the same work' "$tmp/out"
}

@test "tasks that wait for each other are refused where not all are alive, before they start" {
    "$overlap" run -s sequential -w pingpong -n 4 --dry-run > "$tmp/out"
    run "$overlap" run -s sequential -w pingpong -n 4 --json
    [ "$status" -eq 3 ]
    grep -q 'deadlocked by design: pingpong needs all its tasks alive at once, sequential finishes one before it starts the next' <<< "$output"
    refuses 2 "--tasks must be even, not 5" run -s coroutine -w pingpong -n 5 --dry-run
    run bash -c "ulimit -n 64; '$overlap' run -s coroutine -w pingpong -n 200 --json"
    [ "$status" -eq 3 ]
    grep -q "RLIMIT_NOFILE" <<< "$output"
    grep -q "ulimit -n" <<< "$output"
    run bash -c "ulimit -Sn 64; '$overlap' run -s coroutine -w pingpong -n 200 --rounds 2 --json"
    [ "$status" -eq 0 ]
    [ "$(field bytes_moved <<< "$output")" -eq $((200 * 2 * 2 * 4)) ]
}

@test "yield switches as often as it is told" {
    "$overlap" run -s coroutine -w yield -n 3 --yields 100 --json > "$tmp/line"
    [ "$(field task_switches < "$tmp/line")" -eq 303 ]
    [ "$(field options < "$tmp/line")" = "--yields 100" ]
    [ -z "$(field ideal_ns < "$tmp/line")" ]
}

@test "rude has one rude task, and the ideal knows it" {
    refuses 2 "--rude-task must be one of the 2 tasks, so between 0 and 1, not 2" \
        run -s coroutine -w rude -n 2 --rude-task 2 --dry-run
    "$overlap" run -s coroutine -w rude -n 2 --unit 10 --rudeness 5 --cpus one --json > "$tmp/line"
    [ "$(field tasks_done < "$tmp/line")" -eq 2 ]
    [ "$(field ideal_ns < "$tmp/line")" -gt "$(field bound_ns < "$tmp/line")" ]
}

@test "a payload is all there, or would not fit and is refused" {
    for strategy in sequential fork pthreads coroutine; do
        "$overlap" run -s $strategy -w payload -n 3 --size 300000 --json > "$tmp/line"
        [ "$(field bytes_moved < "$tmp/line")" -eq 900000 ]
        field digest < "$tmp/line" >> "$tmp/digests"
    done
    [ "$(sort -u "$tmp/digests" | wc -l)" -eq 1 ]
    run "$overlap" run -s coroutine -w payload -n 100000 --size 1GiB --json
    [ "$status" -eq 3 ]
    grep -q "fewer tasks (-n) would do" <<< "$output"
}

@test "a file is cold or warm as asked, says so, and is gone afterwards" {
    mkdir "$tmp/files"
    export TMPDIR=$tmp/files
    "$overlap" run -s pthreads -w file -n 4 --cache warm --json > "$tmp/warm"
    grep -q '"note":"100% of the file cached before the clock"' "$tmp/warm"
    "$overlap" run -s coroutine -w file -n 4 --chunk 1000 --json > "$tmp/cold"
    grep -q '"note":"[0-9.e-]*% of the file cached before the clock' "$tmp/cold"
    [ "$(field bytes_moved < "$tmp/cold")" -eq 1048576 ]
    [ "$(field digest < "$tmp/cold")" = "$(field digest < "$tmp/warm")" ]
    [ -z "$(ls -A "$tmp/files")" ]
    case $(stat -f -c %T "$tmp/files") in
    ext* | xfs | btrfs) refute grep '"note":"100%' "$tmp/cold" ;; # these can forget
    esac
    "$overlap" run -s coroutine -w file -n 2 | grep -q '^  note  '

    refuses 2 "--cache is cold or warm, not 'tepid'" run -s fork -w file --cache tepid --dry-run
    refuses 2 "cannot read --file /no/such: No such file" run -s fork -w file --file /no/such --dry-run
    refuses 2 "takes a regular file" run -s fork -w file --file / --dry-run
    echo short > "$tmp/short"
    refuses 2 "has 6 bytes, but 4 tasks of --bytes 262144 need 1048576" \
        run -s fork -w file --file "$tmp/short" --dry-run
    TMPDIR=/no/such refuses 2 "cannot make a file in /no/such" run -s fork -w file --dry-run
    "$overlap" run -s sequential -w file -n 2 --bytes 3 --file "$tmp/short" --json > "$tmp/line"
    [ "$(cat "$tmp/short")" = short ]
}

@test "a kept file of tmpfs is called warm, whatever was asked for" {
    [ "$(stat -f -c %T /dev/shm 2> /dev/null)" = tmpfs ] || skip "no tmpfs at /dev/shm"
    TMPDIR=/dev/shm "$overlap" run -s coroutine -w file -n 4 --json > "$tmp/line"
    grep -q '"note":"100% of the file cached before the clock, though cold was asked for"' "$tmp/line"
}

@test "another seed is other work, the same seed the same" {
    digest() { "$overlap" run -s coroutine -w sleep -n 3 --unit 1 --seed "$1" --json | field digest; }
    [ "$(digest 1)" = "$(digest 1)" ]
    [ "$(digest 1)" != "$(digest 2)" ]
}

@test "wrong use is one line and exit status 2" {
    refuses 2 "unknown command 'nope'" nope
    refuses 2 "unknown strategy 'nope'" run -s nope -w sleep
    refuses 2 "unknown workload 'nope'" run -s fork -w nope
    refuses 2 "which strategy?" run -w sleep
    refuses 2 "which workload?" run -s fork
    refuses 2 "unknown option '--nope'" run -s fork -w sleep --nope
    refuses 2 "no value for option" run -s fork -w sleep -n
    refuses 2 "unexpected operand 'x'" run -s fork -w sleep x
    refuses 2 "--tasks must be between 1 and" run -s fork -w sleep -n 0
    refuses 2 "--tasks must be between 1 and" run -s fork -w sleep -n -3
    refuses 2 "--tasks must be between 1 and" run -s fork -w sleep -n 99999999999
    refuses 2 "--tasks takes a whole number" run -s fork -w sleep -n four
    refuses 2 "--tasks takes a whole number" run -s fork -w sleep -n 1.5
    refuses 2 "--unit takes a duration" run -s fork -w sleep --unit 3parsecs
    refuses 2 "--cpus takes one, all or a list" run -s fork -w sleep --cpus x
    refuses 2 "names cores that are not to be had" run -s fork -w sleep --cpus 1000
    refuses 2 "--pass is timing, memory, timeline or syscalls" run -s fork -w sleep --pass x --json
    refuses 2 "--shortest 3 is more than --longest 1" run -s fork -w sleep --shortest 3 --longest 1 --dry-run
    refuses 2 "power of two" run -s fork -w cpu --working-set 3000 --dry-run
    refuses 2 "there are strategies and workloads to list" list nope
}

@test "options are not abbreviated" {
    refuses 2 "unknown option '--workl'" run -s fork --workl sleep
    refuses 2 "unknown option '--lim'" run -s fork -w sleep --lim 1ms
    refuses 2 "more than a week" run -s fork -w sleep --longest 1e9 --unit 3600s --dry-run
}

@test "closed standard streams do not get a result's file" {
    printf 'rounds 1\ncell sleep 1 one sequential --unit 1ms\n' > "$tmp/tiny.suite"
    "$overlap" bench "$tmp/tiny.suite" --out "$tmp/closed" <&- >&- 2>&-
    "$overlap" summary "$tmp/closed" > "$tmp/out"
    grep -q 'sequential' "$tmp/out"
}

@test "a task that fails in a memory pass is not held" {
    run "$overlap" run -s coroutine -w fetch -n 5 --pass memory --json --url http://127.0.0.1:1/
    [ "$status" -eq 1 ]
    grep -q 'Connection refused' <<< "$output"
    run bash -c "ulimit -n 64; '$overlap' run -s coroutine -w fetch -n 200 --pass memory --json"
    [ "$status" -eq 3 ]
    grep -q 'RLIMIT_NOFILE' <<< "$output"
}

@test "a program of somebody else's is taken by its word, and settled where it leaves words out" {
    export HANG_SECONDS=1001.$$
    run "$overlap" run -s "$strategies/terse" -w sleep -n 1 --json
    [ "$status" -eq 0 ]
    run "$overlap" run -s "$strategies/contrary" -w sleep -n 1 --json
    [ "$status" -eq 1 ]
    run "$overlap" run -s "$strategies/silent" -w sleep -n 1 --json --limit 300ms
    [ "$status" -eq 1 ]
    grep -q "gave no result within 300 ms" <<< "$output"
    refute pgrep -f "^sleep $HANG_SECONDS$"
}

@test "an op that takes longer than --timeout fails its task, under every strategy" {
    for strategy in $("$overlap" list strategies --json | sed -n 's/^      "name": "\(.*\)",/\1/p'); do
        run "$overlap" run -s "$strategy" -w sleep -n 4 --unit 1s --timeout 5ms --json
        [ "$status" -ne 3 ] || [[ $output != *"cannot run here"* ]] || continue
        [ "$status" -eq 1 ]
        grep -q '4 of 4 tasks failed; the first of them, task 0: timed out' <<< "$output"
        [ "$(grep -o '"options":"[^"]*"' <<< "$output")" = '"options":"--timeout 5ms"' ]
    done
    run "$overlap" run -s coroutine -w fetch -n 2 --latency 1ms --bytes 1 --duration 30s --timeout 100ms --json
    [ "$status" -eq 1 ]
    grep -q 'task 0: timed out' <<< "$output"
    "$overlap" run -s pthreads -w mixed -n 2 --unit 1 --timeout 10s --json > "$tmp/line"
    "$overlap" run -s pthreads -w pingpong -n 2 --timeout 10s --json > "$tmp/line"
    refuses 2 "--timeout takes a duration such as 50ms, 2s or 100us" run -s fork -w sleep --timeout soon
    refuses 2 "--timeout must be between 0 and 86400s" run -s fork -w sleep --timeout -1
    refuses 2 "--latency of 1 s must be less than the --timeout of 0.5 s" \
        run -s fork -w fetch --latency 1s --timeout 500ms --dry-run
}

@test "--cancel ends the same tasks under every strategy, and the others do their work" {
    for strategy in $("$overlap" list strategies --json | sed -n 's/^      "name": "\(.*\)",/\1/p'); do
        [ "$strategy" != sequential ] || continue
        status=0
        "$overlap" run -s "$strategy" -w sleep -n 20 -j 20 --unit 1s --shortest 0.5 --longest 0.6 \
            --cancel 0.4 --json > "$tmp/line" 2> "$tmp/err" || status=$?
        [ $status -eq 0 ] || grep -q 'cannot run here\|cannot cancel' "$tmp/err"
        [ $status -eq 0 ] || continue
        echo "$(field digest < "$tmp/line") $(field tasks_cancelled < "$tmp/line")" \
            "$(field tasks_done < "$tmp/line")" | tee -a "$tmp/outcomes"
        [ "$(field cancel_ns < "$tmp/line")" -gt 0 ]
    done
    [ "$(wc -l < "$tmp/outcomes")" -ge 9 ]
    [ "$(sort -u "$tmp/outcomes" | wc -l)" -eq 1 ]
    read -r _ cancelled done_ < "$tmp/outcomes"
    [ "$cancelled" -gt 0 ] && [ $((cancelled + done_)) -eq 20 ]

    "$overlap" run -s pthreads -w fetch -n 4 --latency 20s --cancel 1 --json > "$tmp/line"
    [ "$(field tasks_cancelled < "$tmp/line")" -eq 4 ]
    "$overlap" run -s coroutine -w cpu -n 4 --work 1ms --cancel 1 --json > "$tmp/line"
    [ "$(field tasks_cancelled < "$tmp/line")" -eq 0 ]
    [ "$(field tasks_done < "$tmp/line")" -eq 4 ]
    "$overlap" run -s coroutine -w sleep --unit 10s --cancel 1 | grep -q '^  cancelled  *4 tasks, the last'
}

@test "--cancel takes both of a pair that plays pingpong, and the others play on" {
    for strategy in $("$overlap" list strategies --json | sed -n 's/^      "name": "\(.*\)",/\1/p'); do
        run "$overlap" run -s "$strategy" -w pingpong -n 20 -j 20 --rounds 5k --cancel 0.5 --json
        [ "$status" -ne 3 ] || continue # it cannot run here, or would be deadlocked
        echo "$output"
        [ "$status" -eq 0 ]
        [ "$(field tasks_cancelled <<< "$output")" -gt 0 ]
        field digest <<< "$output" >> "$tmp/outcomes"
    done
    [ "$(wc -l < "$tmp/outcomes")" -ge 9 ]
    [ "$(sort -u "$tmp/outcomes" | wc -l)" -eq 1 ]
}

@test "who cannot cancel is refused, as is what is no share" {
    run "$overlap" run -s sequential -w sleep -n 4 --cancel 0.5 --json
    [ "$status" -eq 3 ]
    grep -q 'cannot cancel: all tasks must be under way at once, sequential finishes one before' <<< "$output"
    run "$overlap" run -s thread-pool -w sleep -n 9 -j 2 --cancel 0.5 --json
    [ "$status" -eq 3 ]
    grep -q 'has no more of them than workers; as many as tasks would do: -j 9' <<< "$output"
    refuses 2 "--cancel must be between 0 and 1, not '1.5'" run -s fork -w sleep --cancel 1.5
    refuses 2 "--cancel takes a number such as 0.5, not 'half'" run -s fork -w sleep --cancel half
}

@test "a URL that cannot be is refused, one that refuses fails the trial" {
    refuses 2 "http://" run -s sequential -w fetch --url ftp://x/ --dry-run
    run "$overlap" run -s coroutine -w fetch -n 1 --url http://127.0.0.1:1/ --json
    [ "$status" -eq 1 ]
    grep -q "Connection refused" <<< "$output"
    run "$overlap" run -s coroutine -w fetch -n 1 --url http://no-such-host.invalid/ --json
    [ "$status" -ne 0 ]
    grep -q "no-such-host.invalid" <<< "$output"
}

@test "a limit of the system is named, with the command that raises it, and exit status 3" {
    run bash -c "ulimit -n 64; '$overlap' run -s fork -w sleep -n 200 --unit 1 --json"
    [ "$status" -eq 3 ]
    grep -q "RLIMIT_NOFILE" <<< "$output"
    grep -q "ulimit -n" <<< "$output"
    run bash -c "ulimit -n 64; '$overlap' run -s coroutine -w fetch -n 200 --latency 300ms --json"
    [ "$status" -eq 3 ]
    grep -q "RLIMIT_NOFILE" <<< "$output"
}

@test "a limit of memory is named, with the command that raises it, and exit status 3" {
    (ulimit -v 300000 && "$overlap" --version) || skip "a sanitizer maps more than that"
    for strategy in fiber pthreads gil; do
        run bash -c "ulimit -v 300000; '$overlap' run -s $strategy -w sleep -n 50000 --unit 1 --json"
        echo "$output"
        [ "$status" -eq 3 ]
        [[ $output == *"RLIMIT_AS) is 307200000; raise it with: ulimit -v unlimited"* ]]
        run bash -c "ulimit -d 200000; '$overlap' run -s $strategy -w sleep -n 50000 --unit 1 --json"
        [ "$status" -eq 3 ]
        [[ $output == *"RLIMIT_DATA) is 204800000; raise it with: ulimit -d unlimited"* ]]
    done
    run bash -c "ulimit -v 300000; '$overlap' run -s coroutine -w sleep -n 10000000 --json"
    [ "$status" -eq 3 ]
    [[ $output == *"cannot make result 1 for 10000000 tasks"*"ulimit -v unlimited"* ]]
}

@test "a limit of a file's size is named, and loses no finished trial" {
    run bash -c "ulimit -f 1; '$overlap' run -s fork -w file -n 2 --json"
    echo "$output"
    [ "$status" -eq 3 ]
    [[ $output == *"RLIMIT_FSIZE) is 1024; raise it with: ulimit -f unlimited"* ]]
    printf 'rounds 30\ncell sleep 2 one coroutine,fork --unit 1ms\n' > "$tmp/small.suite"
    run bash -c "ulimit -f 8; '$overlap' bench '$tmp/small.suite' --out '$tmp/run'"
    [ "$status" -eq 1 ]
    [ "$output" = "overlap: cannot write $tmp/run/trials.csv; what is there can be resumed: File too large" ]
    "$overlap" bench --resume --out "$tmp/run"
}

@test "too few open files for overlap itself are named by one line" {
    for command in "run -s coroutine -w fetch -n 2" verify origin bench doctor; do
        status=0
        # shellcheck disable=SC2086 # words
        (ulimit -n 7 && exec "$overlap" $command) > "$tmp/out" 2> "$tmp/err" || status=$?
        cat "$tmp/err"
        [ "$status" -eq 3 ]
        [ "$(wc -l < "$tmp/err")" -eq 1 ]
        grep -q 'RLIMIT_NOFILE) is 7, .*; raise it with: ulimit -n' "$tmp/err"
    done
    # of those that it may have, it takes what it needs
    (ulimit -Sn 7 && "$overlap" run -s coroutine -w fetch -n 2 --json)
}

@test "a user's limit of processes is named" {
    [ "$(id -u)" -eq 0 ] || skip "needs root to become somebody else"
    command -v setpriv > /dev/null || skip "setpriv(1) is not installed"
    # somebody who runs nothing else, and a folder that anybody may enter
    folder=$(mktemp -d /tmp/overlap-test.XXXXXX)
    chmod 755 "$folder"
    install -m 755 "$overlap" "$folder/overlap"
    for strategy in fork pthreads; do
        run prlimit --nproc=20 setpriv --reuid 54321 --clear-groups \
            "$folder/overlap" run -s $strategy -w sleep -n 100 --unit 1 --work-rate 0.3 --json
        [ "$status" -eq 3 ] || break
        [[ $output == *RLIMIT_NPROC*"ulimit -u"* ]] || break
    done
    rm -r "$folder"
    [ "$status" -eq 3 ]
    [[ $output == *RLIMIT_NPROC*"ulimit -u"* ]]
}

@test "the superuser of a container is a user like others" {
    [ "$(id -u)" -eq 0 ] || skip "needs root to become somebody else"
    setpriv --reuid 54322 --clear-groups unshare -Ur true 2> /dev/null || skip "no user namespaces here"
    folder=$(mktemp -d /tmp/overlap-test.XXXXXX)
    chmod 755 "$folder"
    install -m 755 "$overlap" "$folder/overlap"
    run setpriv --reuid 54322 --clear-groups unshare -Ur prlimit --nproc=20:20 \
        "$folder/overlap" run -s pthreads -w sleep -n 100 --unit 1 --work-rate 0.3 --json
    rm -r "$folder"
    echo "$output"
    [ "$status" -eq 3 ]
    [[ $output == *RLIMIT_NPROC*"ulimit -u"* ]]
}

@test "a strategy that dies is reported, as is one that hangs, and nothing of it is left" {
    export HANG_SECONDS=1000.$$
    run "$overlap" run -s "$strategies/crash" -w sleep -n 1 --json
    [ "$status" -eq 1 ]
    grep -q "killed by signal 11" <<< "$output"
    run "$overlap" run -s "$strategies/hang" -w sleep -n 1 --limit 300ms --json
    [ "$status" -eq 1 ]
    grep -q "gave no result within" <<< "$output"
    run "$overlap" run -s "$strategies/orphan" -w sleep -n 1 --unit 1 --json
    [ "$status" -eq 1 ]
    grep -q "left processes behind" <<< "$output"
    refute pgrep -f "^sleep $HANG_SECONDS$"
    run "$overlap" run -s "$strategies/daemon" -w sleep -n 1 --unit 1 --json
    [ "$status" -eq 1 ]
    grep -q "left processes behind" <<< "$output"
    refute pgrep -f "^sleep $HANG_SECONDS$"
    run "$overlap" run -s /no/such/program -w sleep -n 1 --json
    [ "$status" -eq 2 ]
    run "$overlap" run -s "$strategies/good" -w sleep -n 2 --unit 1 --json
    [ "$status" -eq 0 ]
}

@test "a limit of a cgroup above the own one is found and named" {
    pids=/sys/fs/cgroup/pids
    [ -e "$pids/cgroup.procs" ] || pids=/sys/fs/cgroup
    group=$pids/overlap-test-$$
    mkdir "$group" 2> /dev/null || skip "cannot make a cgroup here"
    mkdir "$group/inner"
    if ! echo 50 2> /dev/null > "$group/pids.max"; then
        rmdir "$group/inner" "$group"
        skip "the pids controller is not to be had"
    fi
    status=0
    sh -c 'echo $$ > "$1"; shift; exec "$@"' sh "$group/inner/cgroup.procs" \
        "$overlap" run -s fork -w sleep -n 100 --unit 1 --json > "$tmp/out" 2> "$tmp/err" || status=$?
    sh -c 'echo $$ > "$1"; shift; exec "$@"' sh "$group/inner/cgroup.procs" \
        "$overlap" doctor > "$tmp/doctor" || true
    rmdir "$group/inner" "$group"
    cat "$tmp/err" "$tmp/doctor"
    [ "$status" -eq 3 ]
    grep -qF "pids.max is 50; raise it with: echo max | sudo tee $group/pids.max" "$tmp/err"
    grep -qF "do: echo max | sudo tee $group/pids.max" "$tmp/doctor"
}

# start_trial: a trial of 20 processes that sleep long, in a session of its own; its pid in $pid.
start_trial() {
    setsid "$overlap" run -s fork -w sleep -n 20 --unit 20s --json > "$tmp/out" 2> "$tmp/err" 3>&- &
    pid=$!
    for _ in $(seq 100); do
        [ "$(pgrep -c -s $pid)" -ge 22 ] && return
        sleep 0.1
    done
    return 1
}

@test "Ctrl-C ends a trial and all its processes at once" {
    start_trial
    kill -INT $pid
    status=0
    wait $pid || status=$?
    [ "$status" -eq 130 ]
    all_gone $pid
}

@test "kill -9 of the command leaves no process of the trial" {
    start_trial
    kill -KILL $pid
    wait $pid || true
    all_gone $pid
}

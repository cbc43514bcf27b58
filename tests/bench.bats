#!/usr/bin/env bats
# A bench: its files, going on after it was stopped, and cells that fail.

# shellcheck disable=SC2030,SC2031 # each test is a shell of its own

load common

setup() {
    overlap=$(realpath "${OVERLAP:-build/overlap}")
    export OVERLAP=$overlap
    tmp=$BATS_TEST_TMPDIR
    strategies=$BATS_TEST_DIRNAME/data/strategies
    cat > "$tmp/small.suite" << SUITE
rounds 5
memory-rounds 1
timeline-rounds 1
cell-budget 1s
control coroutine
cell mixed 4 one sequential,fork,pthreads,coroutine timing+memory+timeline --unit 5ms
cell sleep 1000 one sequential,coroutine timing --unit 5ms
cell sleep 3 one pthreads timeline label=wake-ups --unit 1ms
SUITE
}

# rows FOLDER PASS: how many trials of that pass there are.
rows() {
    grep -c ",$2,[0-9]*,[0-9]*," "$1/trials.csv"
}

# stopped FOLDER: what environment.json says of the end.
stopped() {
    sed -n 's/^  "stopped": "\(.*\)".*/\1/p' "$1/environment.json"
}

@test "a bench leaves everything that is made from it" {
    "$overlap" bench "$tmp/small.suite" --out "$tmp/run" > "$tmp/out" 2> "$tmp/err"
    cat "$tmp/err"
    [ ! -s "$tmp/err" ]
    for file in environment.json suite.txt trials.csv summary.csv summary.md timelines/index.csv \
        timelines/mixed-4-one-fork.r1.csv timelines/mixed-4-one-fork.trace.json; do
        [ -s "$tmp/run/$file" ] || { echo "no $file"; false; }
    done
    [ "$(rows "$tmp/run" timing)" -eq 42 ]
    [ "$(rows "$tmp/run" memory)" -eq 4 ]
    [ "$(rows "$tmp/run" timeline)" -eq 5 ]
    grep -q 'not run: it takes at least' "$tmp/run/summary.md"
    # which names the machine, and what ended the rounds
    grep -qF "$(sed -n 's/^  "fingerprint": "\(.*\)",$/\1/p' "$tmp/run/environment.json")" \
        <(head -n 3 "$tmp/run/summary.md")
    # switches are told per task as well: each of the four is resumed three times
    grep -q '^| coroutine |.* | 12 (3) |' "$tmp/run/summary.md"
    # tasks that compute are not among those whose wake-ups are looked at
    sed -n '/^## Wake-ups/,/^## /p' "$tmp/run/summary.md" > "$tmp/wake-ups"
    grep -Eq '^\| sleep-3-one-wake-ups \| pthreads \| [0-9.]+ [nµm]s \|' "$tmp/wake-ups"
    refute grep -q mixed "$tmp/wake-ups"
    grep -q '^Rounds: done after 5 of 5 rounds\.' "$tmp/run/summary.md"
    grep -q 'sleep-1000-one-sequential.*,bound,' "$tmp/run/summary.csv"
    cut -d, -f2 "$tmp/run/summary.csv" | grep -qx mixed-4-one-coroutine-control
    # the order of a round is shuffled, and differs from round to round
    refute diff <(sed 1d "$tmp/run/trials.csv" | grep ',timing,1,' | cut -d, -f2) \
        <(sed 1d "$tmp/run/trials.csv" | grep ',timing,2,' | cut -d, -f2)
}

@test "summary makes the same again from trials.csv alone" {
    "$overlap" bench "$tmp/small.suite" --rounds 2 --out "$tmp/run" > /dev/null
    mkdir "$tmp/copy"
    cp "$tmp/run/trials.csv" "$tmp/copy"
    "$overlap" summary "$tmp/copy" > /dev/null
    diff "$tmp/run/summary.csv" "$tmp/copy/summary.csv"
}

@test "a folder that holds a run is not written over, one that cannot be written is named" {
    "$overlap" bench "$tmp/small.suite" --rounds 1 --out "$tmp/run" > /dev/null
    run "$overlap" bench "$tmp/small.suite" --rounds 1 --out "$tmp/run"
    [ "$status" -eq 2 ]
    grep -q 'already holds a run; go on with it by --resume' <<< "$output"
    run "$overlap" bench "$tmp/small.suite" --out /proc/nope
    [ "$status" -eq 2 ]
    grep -q 'cannot make the folder /proc/nope' <<< "$output"
    run "$overlap" bench "$tmp/small.suite" --resume --out "$tmp/other"
    [ "$status" -eq 2 ]
}

@test "a bench that was killed before it began leaves the folder free" {
    "$overlap" bench "$tmp/small.suite" --rounds 1 --out "$tmp/run" > /dev/null
    mkdir "$tmp/early"
    head -n 1 "$tmp/run/trials.csv" > "$tmp/early/trials.csv"
    "$overlap" bench "$tmp/small.suite" --rounds 1 --out "$tmp/early" > /dev/null
    cp "$tmp/run/trials.csv" "$tmp/rows.csv"
    rm "$tmp/run/environment.json"
    run "$overlap" bench "$tmp/small.suite" --rounds 1 --out "$tmp/run"
    [ "$status" -eq 2 ]
    grep -q 'already holds a run' <<< "$output"
    cmp "$tmp/rows.csv" "$tmp/run/trials.csv"
}

@test "--resume goes on with what is stored, and says so when it is asked for something else" {
    "$overlap" bench "$tmp/small.suite" --rounds 1 --out "$tmp/run" > /dev/null
    for word in default --rounds=2 --full --seed=7; do
        run "$overlap" bench $word --resume --out "$tmp/run"
        [ "$status" -eq 2 ]
        grep -q 'goes on with the suite, the rounds (--rounds, --full) and the seed' <<< "$output"
    done
    sed -i 's/"rounds": 1/"rounds": -3/' "$tmp/run/environment.json"
    run "$overlap" bench --resume --out "$tmp/run"
    [ "$status" -eq 2 ]
}

@test "a baseline or control that no cell has is refused, and all stands for every strategy" {
    printf 'baseline gil\ncell sleep 1 one fork\n' > "$tmp/role.suite"
    run "$overlap" bench "$tmp/role.suite" --out "$tmp/never"
    [ "$status" -eq 2 ]
    grep -q 'the baseline is gil, which no cell has' <<< "$output"
    printf 'rounds 1\ncell sleep 2 one all --unit 1ms\n' > "$tmp/all.suite"
    "$overlap" bench "$tmp/all.suite" --out "$tmp/run" > /dev/null
    for name in $("$overlap" list strategies --json | sed -n 's/^      "name": "\(.*\)",/\1/p'); do
        grep -q "^sleep-2-one,sleep-2-one-$name," "$tmp/run/summary.csv"
    done
}

@test "a full disk loses no finished trial and is named" {
    [ -e /dev/full ] || skip "no /dev/full"
    mkdir "$tmp/full"
    [ "$(id -u)" -eq 0 ] || skip "needs root to mount a small file system"
    mount -t tmpfs -o size=24k none "$tmp/full" 2> /dev/null || skip "cannot mount a tmpfs here"
    status=0
    "$overlap" bench "$tmp/small.suite" --rounds 200 --out "$tmp/full/run" > "$tmp/out" 2> "$tmp/err" \
        || status=$?
    cp "$tmp/full/run/trials.csv" "$tmp/trials.csv" || true
    umount "$tmp/full"
    cat "$tmp/err"
    [ "$status" -eq 1 ]
    grep -q 'No space left on device' "$tmp/err"
    head -n 2 "$tmp/trials.csv" | grep -q '^schema'
}

@test "kill -9 loses no finished trial, and --resume completes the run" {
    "$overlap" bench "$tmp/small.suite" --out "$tmp/run" > /dev/null 2> "$tmp/err" 3>&- &
    pid=$!
    for _ in $(seq 100); do
        [ -f "$tmp/run/trials.csv" ] && [ "$(wc -l < "$tmp/run/trials.csv")" -ge 10 ] && break
        sleep 0.05
    done
    kill -KILL $pid
    wait $pid || true
    before=$(wc -l < "$tmp/run/trials.csv")
    [ "$before" -ge 10 ]
    printf '1,half-a-line' >> "$tmp/run/trials.csv"
    "$overlap" bench --resume --out "$tmp/run" > /dev/null
    refute grep -q half-a-line "$tmp/run/trials.csv"
    [ "$(rows "$tmp/run" timing)" -eq 42 ]
    [ "$(rows "$tmp/run" timeline)" -eq 5 ]
    # no trial was run twice
    [ -z "$(sed 1d "$tmp/run/trials.csv" | cut -d, -f2,4,5 | grep -v ',bound,' | sort | uniq -d)" ]
}

@test "Ctrl-C keeps what is done, says how to go on and leaves no process" {
    setsid "$overlap" bench "$tmp/small.suite" --rounds 100 --out "$tmp/run" > /dev/null 2> "$tmp/err" 3>&- &
    pid=$!
    for _ in $(seq 100); do
        [ -f "$tmp/run/trials.csv" ] && [ "$(wc -l < "$tmp/run/trials.csv")" -ge 15 ] && break
        sleep 0.05
    done
    kill -INT $pid
    status=0
    wait $pid || status=$?
    cat "$tmp/err"
    [ "$status" -eq 130 ]
    grep -q "overlap bench --resume --out" "$tmp/err"
    [ -s "$tmp/run/summary.csv" ]
    [ "$(stopped "$tmp/run")" = interrupted ]
    all_gone $pid
}

@test "rounds go on until a precision, a maximum or the budget ends them, and it says which" {
    printf 'rounds 5\ncell sleep 2 one coroutine,sequential --unit 1ms\n' > "$tmp/few.suite"
    "$overlap" bench "$tmp/few.suite" --out "$tmp/plain" > "$tmp/out"
    grep -q '^done after 5 of 5 rounds$' "$tmp/out"
    [ "$(stopped "$tmp/plain")" = rounds ]

    "$overlap" bench "$tmp/few.suite" --out "$tmp/max" --precision 0.01 --max-rounds 7 > "$tmp/out"
    cat "$tmp/out"
    grep -q '^done after 7 of at most 7 rounds; the widest interval is that of sleep-2-one-' "$tmp/out"
    [ "$(stopped "$tmp/max")" = rounds ]
    [ "$(rows "$tmp/max" timing)" -eq 16 ]

    "$overlap" bench --resume --out "$tmp/max" --precision 1000000 > "$tmp/out"
    grep -q '^precise enough after 7 of at most 15 rounds' "$tmp/out"
    [ "$(stopped "$tmp/max")" = precision ]

    "$overlap" bench "$tmp/few.suite" --out "$tmp/budget" --rounds 200 --budget 300ms > "$tmp/out"
    cat "$tmp/out"
    grep -q '^the budget ends after [0-9]* of 200 rounds' "$tmp/out"
    [ "$(stopped "$tmp/budget")" = budget ]

    run "$overlap" bench "$tmp/few.suite" --out "$tmp/never" --max-rounds 7
    [ "$status" -eq 2 ]
    run "$overlap" bench "$tmp/few.suite" --out "$tmp/never" --precision 1 --max-rounds 2
    [ "$status" -eq 2 ]
    [ ! -e "$tmp/never" ]
}

@test "rounds=N of a cell limits its rounds, and --full does not" {
    cat > "$tmp/some.suite" << SUITE
rounds 12
timeline-rounds 3
cell sleep 2 one coroutine timing+timeline --unit 1ms
cell sleep 3 one coroutine timing+timeline rounds=2 --unit 1ms
cell sleep 4 one coroutine rounds=10 --unit 1ms
SUITE
    rounds_of() { # GROUP PASS
        awk -F, -v "group=$1" -v "pass=$2" 'NR == 1 { for (i = 1; i <= NF; i++) at[$i] = i; next }
            $at["group"] == group && $at["pass"] == pass { n++; least = n == 1 ? $at["round"] : least }
            END { print least + 0, n + 0 }' "$3/trials.csv"
    }
    "$overlap" bench "$tmp/some.suite" --out "$tmp/run" > /dev/null
    [ "$(rounds_of sleep-2-one timing "$tmp/run")" = '0 13' ]
    [ "$(rounds_of sleep-2-one timeline "$tmp/run")" = '1 3' ]
    [ "$(rounds_of sleep-3-one timing "$tmp/run")" = '1 2' ] # nor do they warm up
    [ "$(rounds_of sleep-3-one timeline "$tmp/run")" = '1 2' ]
    [ "$(rounds_of sleep-4-one timing "$tmp/run")" = '0 11' ]
    # what is stopped and resumed remembers that it was to be whole
    "$overlap" bench "$tmp/some.suite" --out "$tmp/full" --full --budget 60ms > /dev/null
    "$overlap" bench --resume --out "$tmp/full" > /dev/null
    [ "$(rounds_of sleep-3-one timing "$tmp/full")" = '0 13' ]
    [ "$(rounds_of sleep-3-one timeline "$tmp/full")" = '1 3' ]
    [ "$(rounds_of sleep-4-one timing "$tmp/full")" = '0 13' ]
}

@test "cells that crash, hang or do other work are marked, and the others go on" {
    export HANG_SECONDS=1000.$$
    cat > "$tmp/bad.suite" << SUITE
rounds 2
cell sleep 2 one sequential,coroutine,$strategies/crash,$strategies/wrong,$strategies/good --unit 1ms
cell sleep 2 one $strategies/hang label=hang --unit 1ms --limit 300ms
SUITE
    run "$overlap" bench "$tmp/bad.suite" --out "$tmp/run"
    echo "$output"
    [ "$status" -eq 1 ]
    grep -q 'sleep-2-one-crash,.*,failed,.*killed by signal 11' "$tmp/run/summary.csv"
    grep -q 'sleep-2-one-wrong,.*,failed,.*digest' "$tmp/run/summary.csv"
    grep -q 'sleep-2-one-hang-hang,.*,failed,.*gave no result' "$tmp/run/summary.csv"
    grep -q 'sleep-2-one-coroutine,.*,ok,' "$tmp/run/summary.csv"
    grep -q 'sleep-2-one-good,.*,ok,' "$tmp/run/summary.csv"
    refute pgrep -f "^sleep $HANG_SECONDS$"
}

@test "a strategy that cannot be run fails, and writes nothing itself" {
    printf 'rounds 1\ncell sleep 2 one ./no-such\n' > "$tmp/none.suite"
    run "$overlap" bench "$tmp/none.suite" --out "$tmp/run"
    echo "$output"
    [ "$status" -eq 1 ]
    grep -q 'sleep-2-one-no-such,.*,failed,.*cannot run the strategy ./no-such' "$tmp/run/summary.csv"
    [ "$(grep -c '^schema' "$tmp/run/trials.csv")" -eq 1 ]
}

@test "a cell that this machine cannot run is shown with the limit's name" {
    printf 'rounds 2\ncell sleep 200 one fork,coroutine --unit 1ms\n' > "$tmp/limit.suite"
    (ulimit -n 64 && "$overlap" bench "$tmp/limit.suite" --out "$tmp/run" > /dev/null)
    grep -q 'sleep-200-one-fork,.*,unavailable,.*RLIMIT_NOFILE' "$tmp/run/summary.csv"
    grep -q 'sleep-200-one-coroutine,.*,ok,' "$tmp/run/summary.csv"
}

@test "a wrong line in a suite is named by file, line and reason" {
    refuses() {
        printf '%s\n' "# first" "$1" > "$tmp/wrong.suite"
        run "$overlap" bench "$tmp/wrong.suite" --out "$tmp/never"
        echo "$output"
        [ "$status" -eq 2 ]
        [ "${#lines[@]}" -eq 1 ]
        [[ $output == *"wrong.suite:2: "*"$2"* ]]
        [ ! -e "$tmp/never" ]
    }
    refuses "nope 3" "'nope' is none of"
    refuses "rounds many" "rounds takes a whole number"
    refuses "rounds 0" "rounds must be between 1"
    refuses "cell sleep 2 one coroutine rounds=none" "rounds"
    refuses "cell mixed 4" "a cell is: cell WORKLOAD TASKS CPUS STRATEGIES"
    refuses "cell mixed 4 one fork nope" "'nope' is neither a pass"
    refuses "cell mixed 4 one nope" "unknown strategy 'nope'"
    refuses "cell nope 4 one fork" "unknown workload 'nope'"
    refuses "cell mixed 0 one fork" "--tasks must be between 1"
    refuses "cell mixed 4 one fork --nope 3" "unknown option '--nope'"
    refuses "cell mixed 4 one fork,fork" "is there already"
    refuses "cell mixed 4 one fork --json" "--json is for the bench to say"
    refuses "cell mixed 4 one fork label=../x" "a label is letters"
    run "$overlap" bench "$tmp/none.suite"
    [ "$status" -eq 2 ]
    grep -q 'No such file' <<< "$output"
    for file in / /dev/zero; do
        run "$overlap" bench $file
        [ "$status" -eq 2 ]
        [ "$output" = "overlap: cannot read the suite $file: it is no regular file" ]
    done
}

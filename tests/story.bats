#!/usr/bin/env bats
# scripts/story on a results folder that is made up here from tests/data/story.

setup_file()
{
    command -v gnuplot >/dev/null || skip "gnuplot is not installed"
    export story="$BATS_TEST_DIRNAME/../scripts/story"
    export results="$BATS_FILE_TMPDIR/made up's results"
    make_results "$results"
    "$story" "$results"
}

make_results() # DIR
{
    mkdir -p "$1/timelines"
    cp "$BATS_TEST_DIRNAME/data/story/environment.json" "$1"
    awk -v dir="$1" -f "$BATS_TEST_DIRNAME/data/story/make.awk" \
        "${2:-$BATS_TEST_DIRNAME/data/story/cells.txt}"
}

# A folder of its own, made from those cells that do not match.
results_without() # PATTERN
{
    grep -v "$1" "$BATS_TEST_DIRNAME/data/story/cells.txt" >"$BATS_TEST_TMPDIR/cells.txt"
    results=$BATS_TEST_TMPDIR/results
    make_results "$results" "$BATS_TEST_TMPDIR/cells.txt"
}

# A text may go over more than one line.
says() # NAME TEXT
{
    {
        cat "$results/figures/story/$1.svg"
        grep -o '>[^<>]*</t' "$results/figures/story/$1.svg" | sed 's/^>//; s/<.*//' | paste -s -d ' ' -
    } | grep -qF -- "$2" || {
        echo "$1.svg does not say: $2"
        return 1
    }
}

card='This step was not measured'

@test "there are twenty-two steps, each as SVG, PNG and PDF" {
    [ "$(find "$results/figures/story" -type f | wc -l)" -eq 66 ]
    for n in 01 02 03 04 05 06 07 08 09 10 11 12 13 14 15 16 17 18 19 20 21 22; do
        for kind in svg png pdf; do
            [ -s "$(echo "$results/figures/story/$n-"*".$kind")" ]
        done
    done
}

@test "none of them is a card when all cells are there" {
    run grep -lF "$card" "$results/figures/story/"*.svg
    [ "$output" = '' ]
}

@test "SVG is well formed, PNG is 3200 by 1800, PDF is whole" {
    for file in "$results/figures/story/"*.svg; do
        tail -n 2 "$file" | grep -qx '</svg>'
        if command -v xmllint >/dev/null; then xmllint --noout "$file"; fi
    done
    for file in "$results/figures/story/"*.png; do
        header=$(od -An -v -tx1 -N24 "$file" | tr -d ' \n')
        [ "$header" = 89504e470d0a1a0a0000000d4948445200000c8000000708 ]
    done
    for file in "$results/figures/story/"*.pdf; do
        head -c 5 "$file" | grep -q '%PDF-'
        tail -c 8 "$file" | grep -q '%%EOF'
    done
}

@test "every step names the machine, the day and its place in the story" {
    for file in "$results/figures/story/"*.svg; do
        grep -qF "$(sed -n 's/.*"fingerprint": "\([^,]*\),.*/\1/p' "$results/environment.json")" "$file"
        grep -qE '[0-9]+ / 22<' "$file"
    done
}

@test "captions are made from the measurements" {
    says 02-four-tasks '1.67 times as long (1.63–1.70)'
    says 02-four-tasks '>(74.2–75.8)<' # of the drawn trial's cell
    says 05-ideal 'Computed, not measured'
    says 07-process-memory '97.7 KiB'
    says 18-sleeps '>wall time, in units<'
    says 18-sleeps '>13.5<' # 135 ms of 10 ms
}

@test "no text is cut" {
    run grep -lF '…' "$results/figures/story/"*.svg
    [ "$output" = '' ]
}

@test "what noise may have made is no difference, whichever way it points" {
    results_without '^$'
    "$story" "$results" --only 11
    says 11-global-lock 'under the lock no difference shown; without it no difference shown'
    sed -i '/^cpu-4-all-bars,.*-gil,/s/,75000000,74250000,75750000,/,76600000,76500000,76700000,/' \
        "$results/summary.csv"
    "$story" "$results" --only 11
    says 11-global-lock 'under the lock no difference shown' # outside of the intervals, within the noise
    sed -i '/^cpu-4-all-bars,.*-gil,/s/,76600000,76500000,76700000,/,150000000,149000000,151000000,/' \
        "$results/summary.csv"
    "$story" "$results" --only 11
    says 11-global-lock 'under the lock 0.50 times as fast (0.49–0.51)'
}

@test "within a group the paired ratio of the summary is taken" {
    results_without '^$'
    sed -i -e '1s/$/,baseline,verdict,ratio_median,ratio_low,ratio_high/' \
        -e '/^nested-2-one,.*-coroutine,/s/$/,coroutine,baseline,1,1,1/' \
        -e '/^nested-2-one,.*-sequential,/s/$/,coroutine,slower,1.9,1.85,1.95/' "$results/summary.csv"
    "$story" "$results" --only 19
    says 19-nested '1.90 times as fast (1.85–1.95)'
}

@test "without intervals none is claimed, and no difference either" {
    results_without '^$'
    sed -i '1s/wall_ns_low,wall_ns_high/wall_ns_least,wall_ns_most/' "$results/summary.csv"
    "$story" "$results" --only 02
    says 02-four-tasks '1.67 times as long (too few rounds for an interval)'
    says 02-four-tasks 'noise floor unknown (no A/A control)'
}

@test "every task on a pool is named" {
    for task in 1 2 3 4 5 6 7 8; do # a lane's number is one of 1 to 4
        [ "$(grep -oF ">$task<" "$results/figures/story/06-pool.svg" | wc -l)" -ge 2 ]
    done
}

@test "among ever more tasks, single trials and limits are named" {
    says 22-million 'Other lines end where no more was tried'
    says 22-million '>10 s<'
    run grep -F 'a single trial' "$results/figures/story/22-million.svg"
    [ "$status" -eq 1 ]
    results_without '^$'
    sed -i -e '/-scale,/s/,ok,,5,/,ok,,1,/' \
        -e '/^sleep-1000-one-scale,.*-pthreads,/s/,ok,,1,/,unavailable,no more than 999 threads; ask for more,0,/' \
        "$results/summary.csv"
    "$story" "$results" --only 22
    says 22-million 'open: a single trial'
    says 22-million '×: pthreads: no more than 999 threads.'
}

@test "a step without its cells is a card with the reason" {
    results_without '^nested\|^payload'
    "$story" "$results"
    says 19-nested "$card"
    says 19-nested 'this run has no cell nested-2-one-sequential'
    says 08-results "$card"
    says 08-results 'no cells of payload'
    [ "$(find "$results/figures/story" -name '*.svg' | wc -l)" -eq 22 ]
}

@test "what is missing beside others is named in its place" {
    results_without '^rude-8-one coroutine'
    "$story" "$results" --only 17
    says 17-rude 'this run has no cell rude-8-one-coroutine'
    run grep -cF "$card" "$results/figures/story/17-rude.svg"
    [ "$output" -eq 0 ]
}

@test "a machine of one core is not said to run pieces at the same time" {
    says 21-one-core-all-cores 'Below, pieces run at the same time as well.'
    results_without '^$'
    sed -i 's/,0-1,/,0,/' "$results/summary.csv" "$results/timelines/index.csv"
    "$story" "$results" --only 21
    says 21-one-core-all-cores 'This machine has no second core'
}

@test "a cell that failed gives its reason" {
    results_without '^$'
    sed -i '/^nested-2-one,nested-2-one-[a-z]*,/s/,ok,,/,failed,the child died,/' "$results/summary.csv"
    "$story" "$results" --only 19
    says 19-nested "$card"
    says 19-nested 'the child died'
}

@test "a point that is missing on a line gives its reason" {
    results_without '^$'
    sed -i '/^mixed-1000-one-crowd,.*-pthreads,/s/,ok,,5,/,failed,the child died,0,/' "$results/summary.csv"
    "$story" "$results" --only 14
    says 14-crowds 'mixed-1000-one-crowd-pthreads: failed: the child died'
}

@test "THEME=dark draws beside the light ones" {
    THEME=dark "$story" "$results" --only 01
    [ -s "$results/figures/story/01-one-task-dark.svg" ]
    rm "$results/figures/story/"*-dark.*
}

@test "wrong use is one line and status 2" {
    for words in '' '--nothing' "$BATS_TEST_TMPDIR/nowhere"; do
        # shellcheck disable=SC2086 # no word, or one
        run "$story" $words
        [ "$status" -eq 2 ]
        [ "${#lines[@]}" -eq 1 ]
    done
    run "$story" "$results" --only nothing
    [ "$status" -eq 2 ]
}

# The figure `map` of scripts/figures: 2 and 8 tasks, half of their time and all but waiting. `more`
# are rows of summary.csv; the numbers are in thousandths of those of fork.
map_results() # NOISE MORE...
{
    results=$BATS_TEST_TMPDIR/map
    mkdir -p "$results"
    sed 's/"stamp": .*/"stamp": ""/' "$BATS_TEST_DIRNAME/data/story/environment.json" >"$results/environment.json"
    noise=$1
    shift
    {
        echo group,strategy,control,workload,tasks,cpus,status,rounds,noise_floor,wall_ns_median,wall_ns_low,wall_ns_high
        for tasks in 2 8; do
            for share in 50 90; do
                echo "mixed-$tasks-all-waiting-$share,fork,false,mixed,$tasks,0-1,ok,7,$noise,1000,990,1010"
                echo "mixed-$tasks-all-waiting-$share,coroutine,false,mixed,$tasks,0-1,ok,7,$noise,${share}0,${share}0,${share}0"
            done
        done
        for row; do echo "mixed-8-all-waiting-90,$row"; done
    } >"$results/summary.csv"
    "$BATS_TEST_DIRNAME/../scripts/figures" "$results" --only map
}

on_map() # TEXT HOW-OFTEN
{
    [ "$(grep -cF ">$1<" "$results/figures/map.svg")" -eq "$2" ] || {
        echo "not $2 times on the map: $1"
        return 1
    }
}

@test "the map names the fastest in each field, and by how much" {
    map_results 0.02
    on_map coroutine 4
    on_map 'next ×2.00' 2
    on_map 'next ×1.11' 2
    on_map 'not measured' 4 # no memory in this run
}

@test "the map claims no fastest where noise or an interval may have made it" {
    map_results 0.02 pthreads,false,mixed,8,0-1,ok,7,0.02,910,880,940
    on_map coroutine 3
    on_map 'all but fork' 1
    # The second is far enough behind; the third, more than that, but with a wide interval.
    map_results 0.02 pthreads,false,mixed,8,0-1,ok,7,0.02,1100,880,1300
    on_map coroutine 3
    on_map 'all but fork' 1
    # 990 by 900 is 1.1, less than the noise.
    map_results 0.12
    on_map coroutine 2
    on_map 'no difference shown' 2
    map_results ''
    on_map coroutine 0
}

@test "the map asks of memory that the trials do not overlap, and leaves out who holds few tasks" {
    map_results 0.02
    awk -F , -v OFS=, 'NR == 1 { print $0, "cell", "memory_bytes_median", "memory_bytes_min", "memory_bytes_max"; next }
        { print $0, $1 "-" $2, ($2 == "fork" ? "3000,2900,3100" : "2950,2930,2980") }' \
        "$results/summary.csv" >"$results/new"
    mv "$results/new" "$results/summary.csv"
    awk -F , -v OFS=, 'NR == 1 { print "schema,cell,group,pass,round,options,tasks_held"; next }
        { for (k = 1; k <= 3; k++) print 1, $1 "-" $2, $1, "memory", k, "\"a,b\"", ($2 $1 ~ /^coroutine.*90$/ ? 1 : $5) }' \
        "$results/summary.csv" >"$results/trials.csv"
    "$BATS_TEST_DIRNAME/../scripts/figures" "$results" --only map
    on_map fork 2 # with 90 % waiting, where coroutine holds but one task
    on_map 'the only one' 2
    on_map 'no difference shown' 2
    grep -qF 'memory: the ranges of 3 trials' "$results/figures/map.svg"
}

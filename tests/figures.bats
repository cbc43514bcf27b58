#!/usr/bin/env bats
# scripts/figures on a results folder that was made up by hand, tests/data/figures: two tasks, four
# strategies of which one failed, a cell that was not run, a stamp, and texts that no shell and no
# gnuplot may take for commands.

setup_file()
{
    command -v gnuplot >/dev/null || skip "gnuplot is not installed"
    export figures="$BATS_TEST_DIRNAME/../scripts/figures"
    export results="$BATS_FILE_TMPDIR/made up's results"
    cp -R "$BATS_TEST_DIRNAME/data/figures" "$results"
    "$figures" "$results"
}

names='timeline-mixed-one duration cpu-time memory switches'

# Says that a figure's SVG holds a text, as real text.
holds() # NAME TEXT
{
    grep -qF "$2" "$results/figures/$1.svg" || {
        echo "$1.svg does not say: $2"
        return 1
    }
}

# Says that it does not.
lacks() # NAME TEXT
{
    ! grep -qF "$2" "$results/figures/$1.svg" || {
        echo "$1.svg says: $2"
        return 1
    }
}

refused() # ARGUMENT...
{
    run "$figures" "$@"
    [ "$status" -eq 2 ]
    [ "${#lines[@]}" -eq 1 ]
}

# Works on a copy without figures.
copy()
{
    cp -R "$results" "$BATS_TEST_TMPDIR/results"
    rm -r "$BATS_TEST_TMPDIR/results/figures"
    results=$BATS_TEST_TMPDIR/results
}

@test "all figures are made, and nothing else" {
    for name in $names; do
        for kind in pdf png svg; do echo "$name.$kind"; done
    done | sort >"$BATS_TEST_TMPDIR/expected"
    find "$results/figures" -mindepth 1 | sed 's|.*/||' | sort | diff "$BATS_TEST_TMPDIR/expected" -
}

@test "SVG is well formed" {
    for name in $names; do
        file=$results/figures/$name.svg
        tail -n 2 "$file" | grep -qx '</svg>'
        if command -v xmllint >/dev/null; then xmllint --noout "$file"; fi
    done
}

@test "PNG is 3200 by 1800" {
    for name in $names; do
        header=$(od -An -v -tx1 -N24 "$results/figures/$name.png" | tr -d ' \n')
        [ "$header" = 89504e470d0a1a0a0000000d4948445200000c8000000708 ]
    done
}

@test "PDF is whole" {
    for name in $names; do
        [ "$(head -c 5 "$results/figures/$name.pdf")" = %PDF- ]
        tail -n 1 "$results/figures/$name.pdf" | grep -q %%EOF
    done
}

@test "every figure names machine, date, rounds, interval and noise floor" {
    for name in $names; do
        holds "$name" 'No machine, 2 cores, Linux 0.0, "made up" · 2026-01-31'
        holds "$name" 'interval: 95 % bootstrap of the median'
        case $name in
        memory) holds "$name" 'noise: trials within ±0.4 % of their median' ;;
        switches) holds "$name" 'noise floor of wall time ±1.2 % (A/A control)' ;;
        *) holds "$name" 'noise floor ±1.2 % (A/A control)' ;;
        esac
        rounds=10
        [ "$name" != memory ] || rounds=3
        space=$(printf '\302\240')
        holds "$name" "n$space=$space$rounds${space}rounds"
    done
}

@test "a noisy run is stamped on every figure, a quiet one is not" {
    for name in $names; do
        holds "$name" 'NOISY RUN: others took 12 % of the cores &amp; &lt;more>'
    done
    copy
    sed -i 's/"stamp": "noisy.*"/"stamp": ""/' "$results/environment.json"
    "$figures" "$results" --only duration
    run grep -i noisy "$results/figures/duration.svg"
    [ "$status" -eq 1 ]
}

@test "cells that did not run are shown with the reason" {
    holds duration 'not run: at least 200 s'
    holds switches 'not run: at least 200 s'
    reason="failed: task 1 failed, with \"quotes\", 'ticks' and \`echo back\` \\ \$HOME"
    for name in timeline-mixed-one duration cpu-time switches; do holds "$name" "$reason"; done
}

@test "the timeline tells what was measured" {
    name=timeline-mixed-one
    holds $name '>The same 2 tasks on one core: concurrency<'
    holds $name 'mixed: each task computes 12 ms, waits 30, computes 8<'
    for words in running 'ready: awaits its turn' 'ready: pre-empted' waiting 'being created' \
        'ideal (computed)' '100 ms' '69.0 ms' '62.0 ms' ×1.61 ×1.11 ×1.34; do
        holds $name ">$words<"
    done
    lacks $name 'awaits the lock' # nobody did
    holds $name 'drawn: the median of 1–2 traced trials'
    holds $name "$(echo 'tracing: 40 ns per event, 0 dropped' | sed "s/ /$(printf '\302\240')/g")"
    holds $name '>traced ÷ untraced 1.006 (0.999–1.012)<'
}

@test "the timeline says why the cost of tracing has no interval" {
    copy
    sed -i 's/,1.001,0.998,1.004$/,1.001,,/' "$results/timelines/index.csv"
    "$figures" "$results" --only timeline
    holds timeline-mixed-one '>traced ÷ untraced 1.001, no interval: 2 traced trials<'
    holds timeline-mixed-one '>traced ÷ untraced 1.006 (0.999–1.012)<'
}

@test "the timeline says where perf was refused" {
    inferred='pre-emption and cores inferred from checkpoints'
    holds timeline-mixed-one ">without perf (pthreads): $inferred · mixed: each task computes"
    copy
    sed -i 's/,perf,/,gaps,/' "$results/timelines/index.csv"
    "$figures" "$results" --only timeline
    holds timeline-mixed-one ">without perf: $inferred · mixed: each task computes"
    sed -i 's/,gaps,/,perf,/' "$results/timelines/index.csv"
    "$figures" "$results" --only timeline
    lacks timeline-mixed-one inferred
    holds timeline-mixed-one ' · kernel switch records · '
}

@test "who awaits the lock is told from who awaits a turn" {
    copy
    sed -i 's/,ready,/,ready-lock,/' "$results"/timelines/mixed-2-one-*.csv
    "$figures" "$results" --only timeline
    holds timeline-mixed-one '>ready: awaits the lock<'
    lacks timeline-mixed-one 'awaits its turn'
}

# How many texts of a timeline are just this.
texts() # TEXT
{
    grep -cF ">$1<" "$results/figures/timeline-mixed-one.svg"
}

@test "each strategy has a lane per core with the numbers of the tasks" {
    name=timeline-mixed-one
    [ "$(texts 'core 0')" -eq 3 ]
    lacks $name '>core 1<'
    holds $name '>which task a core ran<'
    before=$(texts 2)
    [ "$before" -gt 6 ] # of which three beside the tasks' lanes
    copy
    sed -i 's/,mixed,2,0,/,mixed,2,0-1,/' "$results/timelines/index.csv"
    sed -i 's/^1,0,running/1,1,running/' "$results/timelines/mixed-2-one-coroutine.r2.csv"
    "$figures" "$results" --only timeline
    [ "$(texts 'core 0')" -eq 3 ]
    [ "$(texts 'core 1')" -eq 3 ] # idle in two of them
    [ "$(texts 2)" -eq "$before" ]
    sed -i 's/^1,1,running/1,2,running/' "$results/timelines/mixed-2-one-coroutine.r2.csv"
    "$figures" "$results" --only timeline
    [ "$(texts 2)" -lt "$before" ] # what ran elsewhere is on none of them
}

@test "of many cores those have lanes that were used, and the rest is said" {
    copy
    sed -i 's/,mixed,2,0,/,mixed,2,0-63,/' "$results/timelines/index.csv"
    awk -F , -v OFS=, '$3 == "running" && $1 == 1 { $2 = 10 + NR } 1' \
        "$results/timelines/mixed-2-one-pthreads.r1.csv" >"$BATS_TEST_TMPDIR/moved"
    mv "$BATS_TEST_TMPDIR/moved" "$results/timelines/mixed-2-one-pthreads.r1.csv"
    "$figures" "$results" --only timeline
    [ "$(texts 'core 0')" -eq 3 ]
    lacks timeline-mixed-one '>core 1<'
    [ "$(grep -o '>core [0-9]*<' "$results/figures/timeline-mixed-one.svg" | sort -u | wc -l)" -eq 5 ]
    lacks timeline-mixed-one 'cores used'
    sed -i 's/^1,0,running/1,60,running/' "$results/timelines/mixed-2-one-sequential.r1.csv"
    "$figures" "$results" --only timeline
    holds timeline-mixed-one '>the first 5 of 6 cores used<'
}

@test "cores that are not known are not drawn" {
    before=$(texts 2)
    copy
    sed -i 's/,0,running/,,running/' "$results/timelines/mixed-2-one-coroutine.r2.csv"
    "$figures" "$results" --only timeline
    holds timeline-mixed-one '>which core a task ran on is not known<'
    [ "$(texts 2)" -lt "$before" ]
}

@test "lanes too thin for the ideal have its end" {
    name=timeline-mixed-2-one # not the talk's four tasks
    copy
    sed -i 's/,mixed,2,0,/,mixed,40,0,/' "$results/timelines/index.csv"
    "$figures" "$results" --only timeline
    holds $name '>end of the ideal (computed)<'
    lacks $name '>ideal (computed)<'
    holds $name '>the first 21 of 40 tasks<'
}

@test "twentyfold differences get an announced log scale, smaller ones do not" {
    [ "$(grep -c '>log scale' "$results/figures/duration.svg")" -eq 1 ]
    holds duration '>318 ms<'
}

@test "memory: kinds, cgroup, and the cost of a task" {
    for words in code heap stacks other 'page tables' 'kernel stacks' \
        'what a memory cgroup was charged' '(a) at 1000 tasks, by kind' '34.3 MiB' \
        '34.1 KiB/task' '60 B/task'; do
        holds memory ">$words<"
    done
}

@test "memory counts its own trials, and says where not all tasks were alive" {
    copy
    {
        echo schema,cell,group,pass,round,tasks_held
        for round in 0 1 2; do
            echo "1,sleep-1000-one-memory-pthreads,sleep-1000-one-memory,memory,$round,436"
            echo "1,sleep-1000-one-memory-coroutine,sleep-1000-one-memory,memory,$round,1000"
        done
    } >"$results/trials.csv"
    "$figures" "$results" --only memory
    holds memory '>34.3 MiB (436 alive)<'
    holds memory "n$(printf '\302\240')=$(printf '\302\240')2–3$(printf '\302\240')rounds"
    [ "$(grep -c 'alive)<' "$results/figures/memory.svg")" -eq 1 ]
}

@test "a slope whose interval reaches below nothing is given by its upper end" {
    copy
    sed -i 's/,60,51,70$/,58,-2,77/' "$results/summary.csv"
    "$figures" "$results" --only memory
    holds memory '>under 77 B/task<'
}

@test "without intervals none is claimed" {
    copy
    sed -i -e '1s/_low/_lowest/g' -e '1s/noise_floor/noise_ceiling/' "$results/summary.csv"
    "$figures" "$results" --only duration
    holds duration 'too few for an interval'
    holds duration 'noise floor unknown (too few rounds)'
    run grep -F '95 %' "$results/figures/duration.svg"
    [ "$status" -eq 1 ]
}

@test "outliers are marked and counted" {
    holds duration '>69.0 ms °1<'
    holds duration '>°2: two outliers among them<'
    copy
    sed -i '/-pthreads,/s/,10,1,/,10,0,/' "$results/summary.csv"
    "$figures" "$results" --only duration
    holds duration '>69.0 ms<'
    lacks duration '°'
}

@test "what noise hides is marked as no difference, the panel gives its noise floor" {
    holds duration '>69.0 ms °1<'
    holds duration '>ms · ±1.2 %<'
    copy
    sed -i -e 's/,noise_floor,/,baseline,noise_floor,/' -e 's/,0.012,/,coroutine,0.012,/' \
        -e '/-pthreads,/s/,slower,/,no difference shown,/' "$results/summary.csv"
    "$figures" "$results" --only duration
    holds duration '>69.0 ms ≈ °1<'
    holds duration '>≈ no difference to coroutine shown<'
}

@test "a group without a control takes the worst noise floor of its workload" {
    copy
    sed -i -e 's/,noise_floor,/,ratio_low,noise_floor,/' -e 's/,0.012,/,,0.683,/' \
        -e '/-control,/s/,,0.683,/,0.99,0.034,/' -e '/^mixed/s/,,0.683,/,,0.034,/' "$results/summary.csv"
    sed '/^mixed-2-one,mixed-2-one-[a-z]*,/!d; s/^mixed-2-one,mixed-2-one-/mixed-2-all,mixed-2-all-/
        s/,0.034,/,0.683,/' "$results/summary.csv" >"$BATS_TEST_TMPDIR/more"
    cat "$BATS_TEST_TMPDIR/more" >>"$results/summary.csv"
    "$figures" "$results" --only duration
    [ "$(grep -c '>ms · ±3.4 %<' "$results/figures/duration.svg")" -eq 2 ]
    holds duration '>log scale · ±68.3 %<' # nothing tells of that workload
}

@test "a group of a single cell is left out beside others, and alone it is not" {
    copy
    sed '/-control,/d; /^mixed-2-one,mixed-2-one-sequential/!d; s/mixed-2-one/mixed-2-all/g' \
        "$results/summary.csv" >"$BATS_TEST_TMPDIR/more"
    cat "$BATS_TEST_TMPDIR/more" >>"$results/summary.csv"
    "$figures" "$results"
    for name in duration cpu-time switches; do
        holds $name 'groups of a single cell are in summary.md alone'
        run grep -F 'mixed ×2, all cores' "$results/figures/$name.svg"
        [ "$status" -eq 1 ]
    done
    sed -i '/^mixed-2-one\|^sleep/d' "$results/summary.csv"
    "$figures" "$results" --only duration
    holds duration 'mixed ×2, all cores'
}

@test "as many groups as there may be are all drawn, on as many pages as that takes" {
    copy
    for n in $(seq 30); do
        sed "/^mixed-2-one,mixed-2-one-[a-z]*,/!d; s/mixed-2-one/mixed-2-one-label$n/g" "$results/summary.csv"
    done >"$BATS_TEST_TMPDIR/more"
    cat "$BATS_TEST_TMPDIR/more" >>"$results/summary.csv"
    "$figures" "$results"
    for name in duration cpu-time switches; do
        for n in $(seq 30); do
            [ "$(cat "$results/figures/$name"*.svg | grep -c "(label$n)<")" -eq 1 ]
        done
        [ -s "$results/figures/$name-2.svg" ]
    done
}

@test "the control is not drawn as a strategy" {
    [ "$(grep -c '>coroutine<' "$results/figures/duration.svg")" -eq 2 ]
}

@test "SVG names fonts that others have, and no temporary file" {
    holds duration 'font-family="DejaVu Sans, Verdana, sans-serif" font-weight="bold"'
    run grep -e '\.tsv' -e 'Sans:Bold' "$results"/figures/*.svg
    [ "$status" -eq 1 ]
}

@test "--only draws one, THEME=dark beside it" {
    copy
    "$figures" "$results" --only memory
    THEME=dark "$figures" "$results" --only memory
    [ "$(ls "$results/figures")" = "$(printf '%s\n' memory-dark.pdf memory-dark.png memory-dark.svg \
        memory.pdf memory.png memory.svg)" ]
}

@test "what there is no data for is left out, and not left over" {
    copy
    mkdir "$results/figures"
    touch "$results/figures/memory.svg" "$results/figures/mine.svg"
    sed -i '/-memory,/d' "$results/summary.csv"
    rm -r "$results/timelines"
    run "$figures" "$results"
    [ "$status" -eq 0 ]
    [ "$output" = '' ]
    [ "$(cd "$results/figures" && ls ./*.svg)" = \
        "$(printf './%s.svg\n' cpu-time duration mine switches)" ]
    run "$figures" "$results" --only memory
    [ "$status" -eq 1 ]
    [ "$output" = "figures: $results holds no data for memory" ]
}

@test "a missing trial is an error, and the old figure stays" {
    copy
    mkdir "$results/figures"
    echo old >"$results/figures/timeline-mixed-one.svg"
    missing=timelines/mixed-2-one-pthreads.r1.csv
    rm "$results/$missing"
    run "$figures" "$results"
    [ "$status" -eq 1 ]
    [ "$output" = "figures: cannot prepare timeline: cannot read $missing" ]
    [ "$(cat "$results/figures/timeline-mixed-one.svg")" = old ]
    [ "$(find "$results/figures" -mindepth 1 | wc -l)" -eq 1 ]
}

@test "wrong use is one line and status 2" {
    refused
    refused "$results" --only
    refused "$results" --no-such
    refused "$results" "$results"
    refused "$results/no/such"
    refused "$BATS_TEST_TMPDIR"
    THEME=pink refused "$results"
    refused "$results" --only pie
    [ "${output#*; }" = 'there are timeline-..., duration, cpu-time, memory, switches, map' ]
}

@test "without gnuplot one line says what to install" {
    mkdir "$BATS_TEST_TMPDIR/bin"
    for tool in sh cat dirname; do ln -s "$(command -v "$tool")" "$BATS_TEST_TMPDIR/bin/$tool"; done
    PATH=$BATS_TEST_TMPDIR/bin run "$figures" "$results"
    [ "$status" -eq 1 ]
    [ "$output" = 'figures: gnuplot is not installed; on Debian and Ubuntu: apt install gnuplot-nox' ]
}

@test "a terminal that fails is named, the others are drawn" {
    copy
    mkdir "$BATS_TEST_TMPDIR/bin"
    cat >"$BATS_TEST_TMPDIR/bin/gnuplot" <<END
#!/bin/sh
case " \$* " in *" pdf "*) echo "line 0: unknown terminal" >&2 && exit 1 ;; esac
exec $(command -v gnuplot) "\$@"
END
    chmod +x "$BATS_TEST_TMPDIR/bin/gnuplot"
    PATH=$BATS_TEST_TMPDIR/bin:$PATH run "$figures" "$results" --only duration
    [ "$status" -eq 1 ]
    [ "$output" = 'figures: cannot draw duration.pdf: line 0: unknown terminal' ]
    [ "$(ls "$results/figures")" = "$(printf '%s\n' duration.png duration.svg)" ]
}

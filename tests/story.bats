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

says() # NAME TEXT
{
    grep -qF "$2" "$results/figures/story/$1.svg" || {
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
    says 02-four-tasks '1.67 times as long'
    says 05-ideal 'Computed, not measured'
    says 07-process-memory '97.7 KiB'
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

@test "a cell that failed gives its reason" {
    results_without '^$'
    sed -i '/^nested-2-one,nested-2-one-[a-z]*,/s/,ok,,/,failed,the child died,/' "$results/summary.csv"
    "$story" "$results" --only 19
    says 19-nested "$card"
    says 19-nested 'the child died'
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

# The figure `map` of scripts/figures: 2 and 8 tasks, half of their time and all but waiting.
@test "the map names the best in each field, and hatches what is too close" {
    dir=$BATS_TEST_TMPDIR/map
    mkdir "$dir"
    sed 's/"stamp": .*/"stamp": ""/' "$BATS_TEST_DIRNAME/data/story/environment.json" >"$dir/environment.json"
    {
        echo group,strategy,control,workload,tasks,cpus,status,rounds,wall_ns_median,wall_ns_low,wall_ns_high
        for tasks in 2 8; do
            for share in 50 90; do
                echo "mixed-$tasks-all-waiting-$share,fork,false,mixed,$tasks,0-1,ok,7,1000,990,1010"
                echo "mixed-$tasks-all-waiting-$share,coroutine,false,mixed,$tasks,0-1,ok,7,${share}0,${share}0,${share}0"
            done
        done
        echo mixed-8-all-waiting-90,pthreads,false,mixed,8,0-1,ok,7,910,880,940
    } >"$dir/summary.csv"
    "$BATS_TEST_DIRNAME/../scripts/figures" "$dir" --only map
    [ "$(grep -c '>coroutine<' "$dir/figures/map.svg")" -eq 4 ]
    grep -qF 'next ×2.00' "$dir/figures/map.svg"
    grep -qF 'next ×1.01' "$dir/figures/map.svg"
    grep -qF 'not measured' "$dir/figures/map.svg" # no memory in this run
}

#!/usr/bin/env bats
# scripts/validate: a subset of it must agree here, and wrong numbers must not pass.

setup() {
    overlap=$(realpath "${OVERLAP:-build/overlap}")
    scripts=$BATS_TEST_DIRNAME/../scripts
    tmp=$BATS_TEST_TMPDIR
    export XDG_CACHE_HOME=$BATS_FILE_TMPDIR/cache VALIDATE_QUICK=1 OUT=$tmp
}

# doctored EXPRESSION: an overlap whose records sed has changed.
doctored() {
    printf '#!/bin/sh\n"%s" "$@" | sed -u "%s"\n' "$overlap" "$1" > "$tmp/overlap"
    chmod +x "$tmp/overlap"
    export OVERLAP=$tmp/overlap
}

@test "statistics agree with what is computed apart, and there is a report" {
    command -v python3 > /dev/null || skip "python3 is not installed"
    export OVERLAP=$overlap
    run "$scripts/validate" statistics
    echo "$output"
    [ "$status" -eq 0 ]
    grep -q ' 0 fail' <<< "${lines[-1]}"
    grep -q '^statistics,"medians.*,pass,' "$tmp/validation.csv"
    grep -q '^## statistics' "$tmp/validation.md"
}

@test "a summary that differs from its trials does not pass" {
    command -v python3 > /dev/null || skip "python3 is not installed"
    printf 'rounds 12\ncontrol coroutine\ncell sleep 2 one sequential,coroutine --unit 1ms\n' \
        > "$tmp/small.suite"
    "$overlap" bench "$tmp/small.suite" --out "$tmp/run" > /dev/null
    outside() { # NAME: is what differs more than allowed?
        "$scripts/validate-statistics.py" "$tmp/run" > "$tmp/compared"
        awk -F'|' -v name="$1" 'index($1, name) == 1 { found = $3 > $5 } END { exit !found }' "$tmp/compared"
    }
    run outside medians
    [ "$status" -eq 1 ]
    cp "$tmp/run/summary.csv" "$tmp/summary.csv"
    change() { # COLUMN EXPRESSION of its value v
        awk -F, -v OFS=, -v column="$1" 'NR == 1 { for (i = 1; i <= NF; i++) if ($i == column) at = i }
            NR > 1 { v = $at; $at = sprintf("%.15g", '"$2"') } { print }' "$tmp/summary.csv" \
            > "$tmp/run/summary.csv"
    }
    change wall_ns_median 'v * 1.0001'
    outside medians
    change cpu_ns_mad 'v + 1'
    outside medians
    change wall_ns_low 'v / 2'
    outside 'ends of intervals'
    change ratio_high 'v * 1.5'
    outside "ends of ratios"
    change noise_floor 'v + 0.01'
    outside 'noise floors'
    change outliers 'v + 1'
    outside outliers
}

@test "durations that hyperfine contradicts fail" {
    command -v hyperfine > /dev/null || skip "hyperfine is not installed"
    doctored 's/\"wall_ns\":\([0-9]\)/\"wall_ns\":1\1/'
    run "$scripts/validate" durations
    echo "$output"
    [ "$status" -eq 1 ]
    grep -q '\*\*fail\*\*' "$tmp/validation.md"
    grep -q '^durations,.*,fail,' "$tmp/validation.csv"
}

@test "switches that perf contradicts fail" {
    command -v perf > /dev/null || skip "perf is not installed"
    doctored 's/\"voluntary_switches\":\([0-9]\)/\"voluntary_switches\":9\1/'
    run "$scripts/validate" switches
    echo "$output"
    [[ $output != *"perf does not count here"* ]] || skip "perf does not count here"
    [ "$status" -eq 1 ]
    grep -q '^switches,"sequential sleep × 100",.*,fail,' "$tmp/validation.csv"
}

@test "wrong use is one line and exit status 2" {
    run "$scripts/validate" nope
    [ "$status" -eq 2 ]
    [ "${#lines[@]}" -eq 1 ]
    grep -q "there is no check 'nope', only: durations memory" <<< "$output"
    OVERLAP=/no/such/overlap run "$scripts/validate" statistics
    [ "$status" -eq 2 ]
    [ ! -e "$tmp/validation.md" ]
}

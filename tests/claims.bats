#!/usr/bin/env bats
# The claims: what the command prints and refuses, and whether the project's own rules are about
# cells that its suite has.

load common

setup() {
    overlap=$(realpath "${OVERLAP:-build/overlap}")
    tmp=$BATS_TEST_TMPDIR
    export XDG_CACHE_HOME=$BATS_FILE_TMPDIR/cache
    rules=$BATS_TEST_DIRNAME/../harness/claims.txt
}

# A run, made once, that has some of the cells that the project's rules name.
run_dir() {
    dir=$BATS_FILE_TMPDIR/run
    [ ! -e "$dir/summary.md" ] || return 0
    cat > "$BATS_FILE_TMPDIR/few.suite" << 'END'
rounds 5
control coroutine
cell mixed 4 one sequential,pthreads,coroutine --unit 2ms
cell mixed 1 one sequential --unit 2ms
END
    "$overlap" bench "$BATS_FILE_TMPDIR/few.suite" --out "$dir" > /dev/null
}

@test "claims tells for each claim what was compared and what came out" {
    run_dir
    "$overlap" claims "$dir" > "$tmp/out"
    cat "$tmp/out"
    grep -q '^  claim  verdict  *what it says$' "$tmp/out"
    for claim in $(seq 18); do
        grep -Eq "^ +$claim  (holds|does not hold|not shown at this noise|not measured) +[A-Z]" "$tmp/out"
    done
    grep -q '^ *1  not measured ' "$tmp/out"
    grep -q 'the run has no cell cpu-4-one-bars:sequential' "$tmp/out"
    grep -Eq '^ *2  wall_ns of mixed-4-one:sequential over mixed-1-one:sequential +[0-9.]+ +[0-9.]+ – [0-9.]+ +[0-9.]+ % +about 4 within 5 %' "$tmp/out"
    grep -Eq '^ *18  spread of task_switches of mixed-4-one:coroutine +0 +0 – 0 +within 0 \.\. 0 +holds$' "$tmp/out"
    grep -q '^claim 8: C has no such lock' "$tmp/out"
}

@test "--json prints the same for programs" {
    run_dir
    "$overlap" claims --json "$dir" > "$tmp/out"
    [ "$(grep -c '^      "claim": ' "$tmp/out")" -eq 18 ]
    [ "$(grep -c '"noise_floor": ' "$tmp/out")" -eq "$(grep -c '^ *compare ' "$rules")" ]
    grep -q '"reason": "the run has no cell cpu-4-one-bars:sequential"' "$tmp/out"
    if command -v python3 > /dev/null; then python3 -m json.tool < "$tmp/out" > /dev/null; fi
}

@test "summary.md has the claims, unless the run says nothing about any" {
    run_dir
    grep -q '^## Claims$' "$dir/summary.md"
    grep -q '^| 18 | .* | Where switches happen' "$dir/summary.md"
    printf 'rounds 1\ncell sleep 2 one coroutine --unit 1ms\n' > "$tmp/other.suite"
    "$overlap" bench "$tmp/other.suite" --out "$tmp/other" > /dev/null
    refute grep -q '^## Claims$' "$tmp/other/summary.md"
}

@test "rules of one's own are tested, and wrong ones named by file and line" {
    run_dir
    printf 'claim 3\nsays Mine.\ncompare stretch_max of mixed-4-one:coroutine\nholds above 0\n' > "$tmp/rules"
    "$overlap" claims --rules "$tmp/rules" "$dir" | grep -q '^ *3  holds  *Mine\.$'
    printf 'claim 3\nsays Mine.\ncompare speed of mixed-4-one:coroutine\n' > "$tmp/rules"
    status=0
    "$overlap" claims --rules "$tmp/rules" "$dir" > "$tmp/out" 2> "$tmp/err" || status=$?
    [ "$status" -eq 2 ]
    [ ! -s "$tmp/out" ]
    grep -qF "overlap: $tmp/rules:3: 'speed' is not a metric" "$tmp/err"
    [ "$(wc -l < "$tmp/err")" -eq 1 ]
    status=0
    "$overlap" claims "$tmp" 2> "$tmp/err" || status=$?
    [ "$status" -eq 2 ]
    grep -qF "$tmp/trials.csv" "$tmp/err"
}

@test "an installed overlap finds its rules" {
    run_dir
    mkdir -p "$tmp/bin" "$tmp/share/overlap"
    cp "$overlap" "$tmp/bin/overlap"
    status=0
    "$tmp/bin/overlap" claims "$dir" 2> "$tmp/err" || status=$?
    [ "$status" -eq 2 ]
    grep -q 'rules that come with overlap are missing; name some by --rules' "$tmp/err"
    cp "$rules" "$tmp/share/overlap"
    "$tmp/bin/overlap" claims "$dir" > /dev/null
}

@test "the rules test 18 claims, with cells that the default suite has" {
    [ "$(grep -c '^claim ' "$rules")" -eq 18 ]
    awk '$1 == "cell" {
        label = ""
        for (i = 6; i <= NF; i++)
            if (sub(/^label=/, "", $i)) label = "-" $i
        count = split($3, tasks, ",")
        strategies = split($5, strategy, ",")
        gsub(/,/, "+", $4)
        for (t = 1; t <= count; t++)
            for (s = 1; s <= strategies; s++)
                print $2 "-" tasks[t] "-" $4 label ":" strategy[s]
    }' "$BATS_TEST_DIRNAME/../harness/suites/default.suite" | sort > "$tmp/there"
    grep '^ *compare ' "$rules" | grep -Eo '[^ ]+:[^ ]+' | sort -u > "$tmp/named"
    [ "$(wc -l < "$tmp/named")" -gt 30 ]
    comm -13 "$tmp/there" "$tmp/named" | tee "$tmp/missing"
    [ ! -s "$tmp/missing" ]
}

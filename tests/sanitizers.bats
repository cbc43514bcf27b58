#!/usr/bin/env bats
# The command under the sanitizers and valgrind: every strategy and workload in every pass.

load common

setup_file() {
    cd "$BATS_TEST_DIRNAME/.." || return
    unset MAKEFLAGS MFLAGS MAKELEVEL BUILD CFLAGS
    export OUT=${SANITIZER_BUILDS:-$BATS_FILE_TMPDIR}
}

# everything BINARY: all that there is, small.
everything() {
    "$1" verify -n 6 --unit 1ms
    for strategy in $("$1" list strategies --json | sed -n 's/^      "name": "\(.*\)",/\1/p'); do
        for pass in memory timeline; do
            "$1" run -s "$strategy" -w mixed -n 4 --unit 2ms --pass $pass --json > /dev/null || return
        done
        "$1" run -s "$strategy" -w sleep -n 6 -j 6 --cancel 0.5 --json > /dev/null || [ $? -eq 3 ] || return
    done
    printf 'rounds 1\ncontrol coroutine\ncell mixed 2 one fork,coroutine timing+timeline --unit 1ms\n' \
        > "$BATS_TEST_TMPDIR/tiny.suite"
    "$1" bench "$BATS_TEST_TMPDIR/tiny.suite" --out "$BATS_TEST_TMPDIR/run" > /dev/null
}

build() {
    make -j2 SANITIZE="$1" BUILD="$OUT/$2" all "$OUT/$2"/tests/test_{cancel,fiber} > "$BATS_TEST_TMPDIR/log" 2>&1 || {
        cat "$BATS_TEST_TMPDIR/log"
        return 1
    }
}

@test "address and undefined behaviour" {
    build address,undefined asan
    # else locals lie on the fiber's own stack, and it would not matter what ASan is told of another
    export UBSAN_OPTIONS=halt_on_error=1 ASAN_OPTIONS=detect_stack_use_after_return=1
    everything "$OUT/asan/overlap"
    "$OUT/asan/tests/test_cancel"
    "$OUT/asan/tests/test_fiber"
}

@test "threads" {
    build thread tsan
    export TSAN_OPTIONS=halt_on_error=1
    everything "$OUT/tsan/overlap"
    "$OUT/tsan/tests/test_cancel"
    "$OUT/tsan/tests/test_fiber"
}

@test "valgrind on the coroutine path" {
    command -v valgrind > /dev/null || skip "valgrind is not installed"
    origin() { "$OVERLAP" origin --port 0 > "$BATS_TEST_TMPDIR/origin" 3>&- & }
    origin
    pid=$!
    for _ in $(seq 50); do grep -q listening "$BATS_TEST_TMPDIR/origin" && break; sleep 0.1; done
    url=$(sed -n 's/listening on //p' "$BATS_TEST_TMPDIR/origin")
    status=0
    for workload in sleep mixed cpu fetch; do
        valgrind -q --error-exitcode=9 --leak-check=full --errors-for-leak-kinds=definite,indirect \
            "$OVERLAP" trial -s coroutine -w $workload -n 20 --unit 2ms --work-rate 0.05 \
            --origin "$url" --json || status=$?
    done
    kill $pid
    [ "$status" -eq 0 ]
}

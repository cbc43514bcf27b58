#!/usr/bin/env bats
# Fibers as a user meets them, and their switch on a processor that this machine does not have.

setup() {
    overlap=$(realpath "${OVERLAP:-build/overlap}")
    tmp=$BATS_TEST_TMPDIR
    export XDG_CACHE_HOME=$BATS_FILE_TMPDIR/cache
    cd "$BATS_TEST_DIRNAME/.." || return
}

@test "a stack that is too small is named, with what would do" {
    for strategy in fiber fiber-ucontext fiber-setjmp; do
        run "$overlap" run -s $strategy -w sleep -n 3 --unit 1 --depth 1MiB --json
        echo "$output"
        [ "$status" -eq 1 ] || [ "$status" -eq 3 ] # the latter where it cannot run at all
        [[ $output == *"fiber stack overflow: task 0, --stack 16KiB; a larger one: --stack 32KiB"* ]] ||
            [[ $output == *"cannot run here"* ]] || [[ $output == *AddressSanitizer* ]]
        "$overlap" run -s $strategy -w sleep -n 3 --unit 1 --depth 1MiB --stack 2MiB --json ||
            [ $? -eq 3 ]
    done
}

@test "a guard that is none is refused, one that is to be had is noted" {
    run "$overlap" run -s fiber -w sleep --guard moat --dry-run
    [ "$status" -eq 2 ]
    [ "$output" = "overlap: --guard takes auto, madvise, mprotect or none, not 'moat'" ]
    "$overlap" run -s fiber -w sleep --guard mprotect --unit 1 --json | grep -q '"options":"--guard mprotect"'
}

@test "more guards than the kernel has mappings for: the limit by name, exit status 3" {
    limit=$(cat /proc/sys/vm/max_map_count)
    [ "$limit" -le 200000 ] || skip "vm.max_map_count is $limit here: too many fibers to try"
    run "$overlap" run -s fiber -w sleep -n $((limit / 2)) --guard mprotect --unit 1 --json
    [[ $output != *AddressSanitizer* ]] || skip "AddressSanitizer itself needs another mapping"
    [ "$status" -eq 3 ]
    [[ $output == *"vm.max_map_count is $limit; raise it with: sysctl -w vm.max_map_count="* ]]
}

@test "the depth of a task's calls is memory that only its own stack keeps" {
    stack_bytes() {
        "$overlap" run -s "$1" -w sleep -n 100 --depth "$2" --pass memory --json |
            sed 's/.*"pss_stack_bytes":\([0-9]*\).*/\1/'
    }
    [ $(($(stack_bytes fiber 8KiB) - $(stack_bytes fiber 0))) -ge $((100 * 4096)) ]
    [ $(($(stack_bytes coroutine 8KiB) - $(stack_bytes coroutine 0))) -le $((2 * 8192)) ]
}

@test "the switch for aarch64 keeps what it must, under qemu" {
    [ "$(uname -m)" != aarch64 ] || skip "test_fiber has tried it on this very processor"
    qemu=$(command -v qemu-aarch64 || command -v qemu-aarch64-static) ||
        skip "no qemu-aarch64 here (scripts/deps test installs it)"
    for tool in clang ld.lld; do
        command -v $tool > /dev/null || skip "no $tool here (scripts/deps test installs it)"
    done
    for flags in -O0 '-O2 -mbranch-protection=standard'; do
        # shellcheck disable=SC2086 # several words
        clang --target=aarch64-linux-gnu -std=c17 -ffreestanding -nostdlib -static -fuse-ld=lld \
            -Wall -Wextra -Werror $flags -Itests/cross -Istrategies -o "$tmp/switch" \
            tests/cross/switch.c strategies/context_assembly.c strategies/swap_aarch64.S
        run "$qemu" "$tmp/switch"
        echo "$output"
        [ "$output" = "all kept" ]
        [ "$status" -eq 0 ]
    done
}

#!/usr/bin/env bats
# io_uring where it is not to be had: each way says so, and what would help.

load tree

setup() {
    overlap=$(realpath "${OVERLAP:-build/overlap}")
    tmp=$BATS_TEST_TMPDIR
    export XDG_CACHE_HOME=$BATS_FILE_TMPDIR/cache
    cd "$BATS_TEST_DIRNAME/.." || return
}

# refused_with ERRNO: runs uring where a seccomp filter answers io_uring_setup() with that.
refused_with() {
    cat > "$tmp/filter.c" << END
#include <errno.h>
#include <linux/filter.h>
#include <linux/seccomp.h>
#include <stddef.h>
#include <sys/prctl.h>
#include <sys/syscall.h>
#include <unistd.h>
int main(int argc, char **argv)
{
    struct sock_filter filter[] = {
        BPF_STMT(BPF_LD | BPF_W | BPF_ABS, offsetof(struct seccomp_data, nr)),
        BPF_JUMP(BPF_JMP | BPF_JEQ | BPF_K, SYS_io_uring_setup, 0, 1),
        BPF_STMT(BPF_RET | BPF_K, SECCOMP_RET_ERRNO | $1),
        BPF_STMT(BPF_RET | BPF_K, SECCOMP_RET_ALLOW),
    };
    struct sock_fprog program = {sizeof filter / sizeof *filter, filter};
    if (prctl(PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0) || prctl(PR_SET_SECCOMP, SECCOMP_MODE_FILTER, &program))
        return 77;
    execv(argv[1], argv + 1);
    return argc;
}
END
    ${CC:-cc} -o "$tmp/filter" "$tmp/filter.c" || skip "no headers of the kernel here"
    run "$tmp/filter" "$overlap" run -s uring -w sleep --unit 1 --json
    [ "$status" -ne 77 ] || skip "no seccomp here"
    echo "$output"
    [ "$status" -eq 3 ]
}

is_built_in() {
    [[ $("$overlap" list strategies) != *"without liburing"* ]] || skip "built without liburing"
}

@test "a filter that forbids it" {
    is_built_in
    [ "$(cat /proc/sys/kernel/io_uring_disabled 2> /dev/null || echo 0)" -eq 0 ] || skip "disabled here"
    refused_with EPERM
    [[ $output == *"uring cannot run here: io_uring is forbidden"*"docker run --security-opt seccomp=unconfined"* ]]
}

@test "a kernel without it, or a filter that says so" {
    is_built_in
    refused_with ENOSYS
    [[ $output == *"uring cannot run here: this kernel has no io_uring (Linux 5.6 has)"* ]]
}

@test "built without liburing: listed, with what to install" {
    enter_copy_of_tree "$tmp/tree"
    mkdir "$tmp/bin"
    # shellcheck disable=SC2016 # expanded by the script
    printf '#!/bin/sh\ncase $* in *--exists*liburing*) exit 1 ;; esac\nexec %s "$@"\n' \
        "$(command -v pkg-config)" > "$tmp/bin/pkg-config"
    chmod +x "$tmp/bin/pkg-config"
    PATH=$tmp/bin:$PATH make -j2 > "$tmp/log" 2>&1 || { cat "$tmp/log" && false; }
    run grep warning "$tmp/log"
    [ "$status" -ne 0 ]
    build/overlap list strategies | grep -A1 '^  uring' |
        grep 'not on this machine: built without liburing 2.3 or later; install it (scripts/deps build)'
    run build/overlap run -s uring -w sleep --json
    [ "$status" -eq 3 ]
}

#!/usr/bin/env bats
# What scripts/new-strategy and scripts/new-workload write: it must build without a warning, be
# found, and do the same work as the rest. Names with hyphens, since those have to become C names.

load tree

setup_file()
{
    enter_copy_of_tree "$BATS_FILE_TMPDIR"
    scripts/new-strategy my-order
    scripts/new-workload my-work
    make -j2 >make.log 2>&1 || {
        cat make.log
        return 1
    }
}

setup()
{
    cd "$BATS_FILE_TMPDIR" || return
}

digest() # STRATEGY WORKLOAD
{
    build/overlap run -s "$1" -w "$2" -n 4 --unit 1 --json | tee /dev/stderr |
        grep '"ok": *true' | sed -n 's/.*"digest": *"\([^"]*\)".*/\1/p'
}

refused() # MESSAGE: one line that says so, status 2, and no file of that name
{
    [ "$status" -eq 2 ]
    [ "$output" = "$1" ]
}

@test "both build without a warning" {
    grep my-order make.log
    grep my-work make.log
    run grep -i warning make.log
    [ -z "$output" ]
}

@test "both are listed" {
    build/overlap list strategies | grep ' my-order  *one task after another'
    build/overlap list workloads | grep ' my-work  *computes, then waits'
}

@test "the new strategy does the work of sequential" {
    [ -n "$(digest sequential sleep)" ]
    [ "$(digest my-order sleep)" = "$(digest sequential sleep)" ]
    [ "$(digest my-order mixed)" = "$(digest sequential mixed)" ]
}

@test "the new workload is the same under every strategy" {
    [ -n "$(digest sequential my-work)" ]
    for strategy in my-order pthreads coroutine; do
        [ "$(digest $strategy my-work)" = "$(digest sequential my-work)" ]
    done
}

@test "what is written is formatted" {
    command -v clang-format || skip "no clang-format here"
    clang-format --dry-run -Werror strategies/my-order.c workloads/my-work.c
}

@test "a name that is taken is refused, the file is left alone" {
    before=$(cksum strategies/my-order.c)
    run scripts/new-strategy my-order
    refused "new-strategy: strategies/my-order.c exists already: choose another name"
    [ "$(cksum strategies/my-order.c)" = "$before" ]
}

@test "a name that another file has registered is refused" {
    cp strategies/my-order.c strategies/other.c
    rm strategies/my-order.c
    run scripts/new-strategy my-order
    mv strategies/other.c strategies/my-order.c
    refused "new-strategy: 'my-order' is registered by strategies/other.c already: choose another name"
}

@test "bad names are refused" {
    for name in '' Upper 1st under_score ../up 'two words' -x; do
        run scripts/new-workload "$name"
        refused "new-workload: '$name' can't be a name: lower-case letters, digits and -, a letter first"
    done
    for name in all one control; do
        run scripts/new-workload "$name"
        refused "new-workload: '$name' has a meaning of its own in the names of cells: choose another"
    done
    run scripts/new-workload a-name-that-fills-the-table
    refused "new-workload: 'a-name-that-fills-the-table' is too long for the tables: at most 24 characters"
    run scripts/new-workload
    refused "new-workload: give one name: new-workload NAME"
}

#!/usr/bin/env bats
# The pages that take a reader through code: followed step by step, in a copy of the tree. A code
# block whose first line names a file ("```c strategies/batch.c") is that file, one of sh is run.

load tree

setup_file()
{
    enter_copy_of_tree "$BATS_FILE_TMPDIR"
}

follow() # PAGE
{
    cd "$BATS_FILE_TMPDIR" || return
    awk '
        /^```/ && !inside {
            inside = 1
            kind = $2 != "" ? "file" : substr($1, 4)
            if (kind == "file") print "cat >" $2 " <<\"END OF FILE\""
            next
        }
        /^```/ {
            inside = 0
            if (kind == "file") print "END OF FILE"
            next
        }
        inside && (kind == "file" || kind == "sh")' "$1" >steps
    sh -eux steps
}

formatted() # FILE
{
    ! command -v clang-format || clang-format --dry-run -Werror "$1"
}

@test "docs/adding-a-strategy.md can be followed" {
    follow docs/adding-a-strategy.md
    build/overlap list strategies | grep batch
    [ -s results/batch/summary.md ]
    formatted strategies/batch.c
}

@test "docs/adding-a-workload.md can be followed" {
    follow docs/adding-a-workload.md
    build/overlap list workloads | grep backoff
    formatted workloads/backoff.c
}

@test "the README shows the reference run as it is" {
    cd "$BATS_TEST_DIRNAME/.." || return
    scripts/headline results/reference > "$BATS_TEST_TMPDIR/tables"
    grep -qF "| \`coroutine\` | 1" "$BATS_TEST_TMPDIR/tables"
    while read -r row; do
        [ -z "$row" ] || grep -qxF "$row" README.md || { echo "not in the README: $row"; false; }
    done < "$BATS_TEST_TMPDIR/tables"
    run scripts/headline nowhere
    [ "$status" -eq 2 ]
}

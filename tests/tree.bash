# A copy of the source tree to change and build in, for the tests that add files to it.

# Copies the tree to $1 and goes there. What is built already is taken along, so that little is left
# to be built. A make that runs this test must not hand its options down to those run in the copy.
enter_copy_of_tree()
{
    mkdir -p "$1/results"
    for part in "$BATS_TEST_DIRNAME"/../* "$BATS_TEST_DIRNAME"/../.clang-format; do
        case ${part##*/} in
        results | build-*) ;;
        *) cp -a "$part" "$1/" ;;
        esac
    done
    unset MAKEFLAGS MFLAGS MAKELEVEL BUILD SANITIZE CFLAGS
    cd "$1" || return
}

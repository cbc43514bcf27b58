#!/usr/bin/env bats
# scripts/deps on machines that it is not on: PATH holds nothing but a few tools and stubs, which
# write down how they were called.
# shellcheck disable=SC2016 # what stubs do is expanded by them

setup()
{
    deps=$BATS_TEST_DIRNAME/../scripts/deps
    machine=$BATS_TEST_TMPDIR/machine
    calls=$BATS_TEST_TMPDIR/calls
    bare_machine
}

bare_machine()
{
    rm -rf "$machine"
    mkdir "$machine"
    : >"$calls"
    for tool in sh tr sed grep env; do
        ln -s "$(command -v "$tool")" "$machine/$tool"
    done
    am 0
}

# stub NAME BODY: a program that logs its call, then does as BODY says.
stub()
{
    printf '#!/bin/sh\necho "%s $*" >>"%s"\n%s\n' "$1" "$calls" "${2:-exit 0}" >"$machine/$1"
    chmod +x "$machine/$1"
}

# before_stub NAME BODY: does BODY ahead of what the stub does already.
before_stub()
{
    mv "$machine/$1" "$machine/$1-then"
    stub "$1" "$2
        exec '$machine/$1-then' \"\$@\""
    sed -i 2d "$machine/$1-then" # or the call is logged twice
}

am() # UID
{
    printf '#!/bin/sh\necho %s\n' "$1" >"$machine/id"
    chmod +x "$machine/id"
}

# stub_manager NAME [QUERY]: NAME installs all that the build needs; QUERY says whether it knows the
# name that it is asked for last.
stub_manager()
{
    stub "$1" "
        for name do :; done
        case \" \$* \" in
        *' list '* | *' -Si '* | *' search '* | *' info '*) ${2:-exit 0} ;;
        *' install '* | *' -S '* | *' add '*) PATH=$PATH; cp '$BATS_TEST_TMPDIR'/after/* '$machine' ;;
        esac"
    mkdir -p "$BATS_TEST_TMPDIR/after"
    for tool in make pkg-config; do
        printf '#!/bin/sh\n' >"$BATS_TEST_TMPDIR/after/$tool"
    done
    # a compiler whose preprocessor finds all headers
    printf '#!/bin/sh\nexec sed -n "s/^\\(\\".*\\)/\\1/p"\n' >"$BATS_TEST_TMPDIR/after/cc"
    chmod +x "$BATS_TEST_TMPDIR"/after/*
}

deps()
{
    run env -i PATH="$machine" NO_INSTALL="${NO_INSTALL:-}" "$deps" "$@"
    echo "$output" # shown when the test fails
    cat "$calls"
}

never() # PATTERN of calls that must not have been made
{
    ! grep -q -e "$1" "$calls"
}

has() # TEXT that the output must contain
{
    case $output in *"$1"*) ;; *) return 1 ;; esac
}

@test "all there: silent, no package manager is called" {
    stub_manager apt-get
    cp "$BATS_TEST_TMPDIR"/after/* "$machine"
    deps build
    [ "$status" -eq 0 ]
    [ -z "$output" ]
    [ ! -s "$calls" ]
}

@test "apt-get installs what is missing, without asking, and no more" {
    stub_manager apt-get
    stub apt-cache
    cp "$BATS_TEST_TMPDIR/after/make" "$machine"
    deps build
    [ "$status" -eq 0 ]
    has "missing: a C compiler, pkg-config, libev"
    has "running: env DEBIAN_FRONTEND=noninteractive apt-get -q -y --no-install-recommends install gcc libc6-dev pkg-config libev-dev"
    grep -qx 'apt-get -q -y --no-install-recommends install gcc libc6-dev pkg-config libev-dev libjansson-dev libgsl-dev libllhttp-dev liburing-dev' "$calls"
    never update
}

@test "the packages of each package manager" {
    while read -r manager packages; do
        bare_machine
        stub_manager "$manager" 'echo "$name"'
        deps build
        [ "$status" -eq 0 ]
        has "installing: $packages"
        grep -q "^$manager .* $packages\$" "$calls"
    done <<'END'
dnf gcc make pkgconf-pkg-config libev-devel jansson-devel gsl-devel llhttp-devel liburing-devel
pacman gcc make pkgconf libev jansson gsl llhttp liburing
apk gcc musl-dev make pkgconf libev-dev jansson-dev gsl-dev llhttp-dev liburing-dev
zypper gcc make pkg-config libev-devel libjansson-devel gsl-devel llhttp-devel liburing-devel
brew gcc make pkgconf libev jansson gsl llhttp
END
}

@test "an emulator of aarch64 and a linker for it, where the machine is another" {
    while read -r manager packages; do
        bare_machine
        stub_manager "$manager" 'echo "$name"'
        [ "$manager" != apt-get ] || stub apt-cache
        stub uname 'echo x86_64'
        NO_INSTALL=1 deps test
        [[ " ${lines[-1]} " == *" $packages "* ]]
        stub uname 'echo aarch64'
        NO_INSTALL=1 deps test
        has " clang"
        [[ $output != *qemu* && $output != *lld* ]]
    done <<'END'
apt-get clang qemu-user lld
dnf clang qemu-user-static-aarch64 lld
pacman clang qemu-user lld
apk clang qemu-aarch64 lld
zypper clang qemu-linux-user lld
END
    bare_machine
    stub_manager brew
    NO_INSTALL=1 deps test
    [[ $output != *qemu* && $output != *lld* ]]
}

@test "where llhttp is not packaged, http-parser is" {
    stub_manager apt-get
    stub apt-cache 'case $* in *llhttp*) exit 100 ;; esac'
    deps build
    [ "$status" -eq 0 ]
    has libhttp-parser-dev
    [ "${output#*libllhttp-dev}" = "$output" ]
}

@test "a package that two needs share is named once" {
    stub_manager dnf
    NO_INSTALL=1 deps lint
    [ "$output" = "deps: missing: clang-format, clang-tidy, shellcheck, mandoc
dnf -y --setopt=install_weak_deps=False install clang-tools-extra ShellCheck mandoc" ]
}

@test "no lists of packages yet: they are fetched first, then asked" {
    stub_manager apt-get
    before_stub apt-get "case \" \$* \" in *' update '*) echo >'$BATS_TEST_TMPDIR/lists' ;; esac"
    stub apt-cache "case \$* in *llhttp*) exit 100 ;; esac; [ -e '$BATS_TEST_TMPDIR/lists' ]"
    deps build
    [ "$status" -eq 0 ]
    [ "$(grep -n update "$calls" | head -1 | cut -d: -f1)" -lt "$(grep -n ' install ' "$calls" | cut -d: -f1)" ]
    has libhttp-parser-dev
}

@test "a stale list: the installation is tried again after an update" {
    stub_manager apt-get
    stub apt-cache
    before_stub apt-get "case \" \$* \" in
        *' update '*) echo >'$BATS_TEST_TMPDIR/fresh' ;;
        *) [ -e '$BATS_TEST_TMPDIR/fresh' ] || exit 100 ;;
        esac"
    deps build
    [ "$status" -eq 0 ]
    [ "$(grep -c ' install ' "$calls")" -eq 2 ]
    [ "$(grep -c update "$calls")" -eq 1 ]
}

@test "an installation that fails: one line, status 1" {
    stub apt-get 'exit 100'
    stub apt-cache
    deps build
    [ "$status" -eq 1 ]
    case ${lines[-1]} in "deps: could not install gcc libc6-dev make"*) ;; *) echo "$output" && false ;; esac
}

@test "an installation that brings nothing is not believed" {
    stub apt-get
    stub apt-cache
    deps build
    [ "$status" -eq 1 ]
    has "installed, but still not found: a C compiler, make"
}

@test "NO_INSTALL: the command on stdout, status 3, nothing installed" {
    stub_manager pacman
    run env -i PATH="$machine" NO_INSTALL=1 sh -c '"$0" build 2>/dev/null' "$deps"
    [ "$status" -eq 3 ]
    [ "$output" = "pacman -S --noconfirm --needed gcc make pkgconf libev jansson gsl llhttp liburing" ]
    never ' -S '
}

@test "no package manager: what is needed, by name, status 3" {
    deps bench
    [ "$status" -eq 3 ]
    has "missing: gnuplot with its cairo terminals, hyperfine, a font for the figures"
    has "install these by hand"
}

@test "a user with sudo" {
    stub_manager apt-get
    stub apt-cache
    stub sudo 'exec "$@"'
    stub doas 'exec "$@"'
    am 1000
    deps build
    [ "$status" -eq 0 ]
    grep -q '^sudo env DEBIAN_FRONTEND=noninteractive apt-get' "$calls"
}

@test "a user with doas alone" {
    stub_manager apk 'echo "$name"'
    stub doas 'exec "$@"'
    am 1000
    deps build
    [ "$status" -eq 0 ]
    grep -q '^doas apk add' "$calls"
}

@test "a user who can't become root: the command to run as root, status 3" {
    stub_manager dnf
    am 1000
    deps build
    [ "$status" -eq 3 ]
    has "neither root nor sudo nor doas: run this as root"
    [ "${lines[-1]}" = "dnf -y --setopt=install_weak_deps=False install gcc make pkgconf-pkg-config libev-devel jansson-devel gsl-devel llhttp-devel liburing-devel" ]
}

@test "a user who can't become root but has brew" {
    stub_manager dnf
    stub_manager brew
    am 1000
    deps build
    [ "$status" -eq 0 ]
    grep -q '^brew install gcc make' "$calls"
    never '^dnf'
}

@test "a set that is none: one line, status 2" {
    deps build docs
    [ "$status" -eq 2 ]
    [ "$output" = "deps: unknown set 'docs': give build, bench, test or lint" ]
}

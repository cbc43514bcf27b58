# What several transcripts use.

# refute COMMAND...: it must fail (a bare `!` would not fail a test).
refute() {
    if "$@"; then return 1; fi
}

# all_gone SESSION: none of its processes is alive, within two seconds. (The dead that init has not
# collected yet do not count.)
all_gone() {
    for _ in $(seq 20); do
        pgrep -r D,R,S,T,t,I -s "$1" > /dev/null || return 0
        sleep 0.1
    done
    pgrep -a -s "$1"
    return 1
}

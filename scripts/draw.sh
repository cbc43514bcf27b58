# shellcheck shell=sh
# What scripts/figures and scripts/story share: the results folder, a hidden folder to draw in,
# gnuplot. They read it with `.`.

fail() # STATUS MESSAGE
{
    printf '%s: %s\n' "${0##*/}" "$2" >&2
    exit "$1"
}

# Checks results folder $dir and makes $work, a hidden folder in $into, where the figures will go.
draw_begin() # FOLDER-WITHIN-DIR
{
    case $dir in /*) ;; *) dir=./$dir ;; esac
    [ -d "$dir" ] || fail 2 "no such results folder: $dir"
    for file in summary.csv environment.json; do
        [ -r "$dir/$file" ] || fail 2 "$dir has no $file; make it with: overlap summary $dir"
    done
    case ${THEME:=light} in
    light) suffix='' ;;
    dark) suffix='-dark' ;;
    *) fail 2 "THEME is 'light' or 'dark', not '$THEME'" ;;
    esac
    command -v gnuplot >/dev/null ||
        fail 1 'gnuplot is not installed; on Debian and Ubuntu: apt install gnuplot-nox'

    charts=$(cd "$(dirname "$0")/charts" && pwd)
    dir=$(cd "$dir" && pwd)
    into=$dir/$1
    mkdir -p "$into" 2>/dev/null || fail 1 "cannot make $into"
    work=$into/.drawing-$$
    trap 'rm -rf "$work"' EXIT
    trap 'exit 1' HUP INT TERM
    mkdir "$work" 2>/dev/null || fail 1 "cannot write to $into"
    # Decimal points for awk; bytes for its texts. gnuplot is told about UTF-8.
    export LC_ALL=C
    : >"$work/list"
}

# Has awk lay out figures: $work/list, and for each its layout and its data.
prepare() # FAMILY AWK-FILE ...
{
    family=$1
    shift
    for file; do
        shift
        set -- "$@" -f "$charts/$file.awk"
    done
    awk -v dir="$dir" -v work="$work" -v charts="$charts" -v family="$family" \
        -f "$charts/common.awk" "$@" 2>"$work/$family.log" ||
        fail 1 "cannot prepare $family: $(sed 1q "$work/$family.log")"
}

draw() # NAME CHART TERMINAL
{
    (cd "$work" && LC_ALL=C.UTF-8 gnuplot -c "$charts/$2.gp" "$3" "$1" "$THEME" "$charts") \
        >"$work/$1.$3.log" 2>&1 || : >"$work/$1.$3.failed"
}

# gnuplot writes bold fonts in fontconfig's way and names its temporary files in tooltips; and where
# DejaVu is missing, Verdana has the same widths.
tidy_svg() # NAME TITLE
{
    TITLE=$2 awk '
        /<title>/ {
            gsub(/<title>[^<]*<\/title>/, "")
            title = titled++ ? "" : ENVIRON["TITLE"]
            gsub(/&/, "\\&amp;", title)
            gsub(/</, "\\&lt;", title)
            if (title != "") $0 = "<title>" title "</title>"
        }
        {
            gsub(/"DejaVu Sans:Bold"/, "\"DejaVu Sans, Verdana, sans-serif\" font-weight=\"bold\"")
            gsub(/"DejaVu Sans"/, "\"DejaVu Sans, Verdana, sans-serif\"")
            print
        }' "$work/$1.svg" >"$work/tidy" && mv "$work/tidy" "$work/$1.svg"
}

# Draws what is in $work/list and begins with NAME; the names go to $drawn, and $failed is 1 when
# one could not be drawn.
draw_list() # NAME
{
    drawn=' '
    failed=0
    tab=$(printf '\t')
    while IFS=$tab read -r name chart title; do
        case $name in "$1"*) ;; *) continue ;; esac
        for terminal in svg png pdf; do draw "$name" "$chart" "$terminal" & done
        wait
        for terminal in svg png pdf; do
            if [ -e "$work/$name.$terminal.failed" ] || [ ! -s "$work/$name.$terminal" ]; then
                reason=$(grep -v -e '^ *$' -e '^ *\^' -e warning: "$work/$name.$terminal.log" |
                    tail -n 1)
                reason=${reason:-gnuplot gives no reason}
                printf '%s: cannot draw %s.%s: %s\n' "${0##*/}" "$name" "$terminal" "$reason" >&2
                # shellcheck disable=SC2034 # who calls looks at it
                failed=1
                continue
            fi
            [ "$terminal" != svg ] || tidy_svg "$name" "$title"
            mv "$work/$name.$terminal" "$into/$name$suffix.$terminal"
        done
        drawn="$drawn$name$suffix "
    done <"$work/list"
}

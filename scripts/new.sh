# What new-strategy and new-workload share; to be read by them with `.`, from anywhere.
# shellcheck shell=sh
LC_ALL=C # a to z, whatever the language

die()
{
    printf '%s: %s\n' "${0##*/}" "$*" >&2
    exit 2
}

# Checks the name and sets $name, $ident (the name in C) and $file, which does not exist yet.
new_file() # FOLDER NAME
{
    [ $# -eq 2 ] || die "give one name: ${0##*/} NAME"
    folder=$1 name=$2
    case $name in
    '' | [!a-z]* | *[!a-z0-9-]*)
        die "'$name' can't be a name: lower-case letters, digits and -, a letter first"
        ;;
    ?????????????????????????*) die "'$name' is too long for the tables: at most 24 characters" ;;
    all | one | control)
        die "'$name' has a meaning of its own in the names of cells: choose another"
        ;;
    esac
    cd "$(dirname "$0")/.." || exit
    file=$folder/$name.c
    ident=$(printf '%s' "$name" | tr - _)
    [ ! -e "$file" ] || die "$file exists already: choose another name"
    owner=$(grep -l "\.name *= *\"$name\"" "$folder"/*.c | head -n 1)
    [ -z "$owner" ] || die "'$name' is registered by $owner already: choose another name"
}

# The last words: what to do with the file.
created() # COMMAND PAGE
{
    printf '%s\n  make && build/%s\n' \
        "$file works as it is; now make it yours (see $2). Try it with:" "$1"
}

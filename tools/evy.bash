# bash completion for evy                                          -*- shell-script -*-

_evy_pids()
{
    evy top 2>/dev/null | awk 'NR > 1 { print $1 }'
}

_evy_commands()
{
    evy --help | sed -n 's/^  \([a-z]*\) .*/\1/p'
}

_evy_options()
{
    evy "$1" --help | awk -F '  +' '/^  -/ { print $2 }' | grep -oE -- '--?[a-z]+'
}

_evy()
{
    local word=${COMP_WORDS[COMP_CWORD]} before=${COMP_WORDS[COMP_CWORD - 1]}
    if ((COMP_CWORD == 1)); then
        mapfile -t COMPREPLY < <(compgen -W "$(_evy_commands) help --help --version" -- "$word")
        return
    fi
    case $before in
    --method) mapfile -t COMPREPLY < <(compgen -W 'epoll poll select' -- "$word"); return ;;
    --log) mapfile -t COMPREPLY < <(compgen -W 'off error warn info debug' -- "$word"); return ;;
    -s | --sort) mapfile -t COMPREPLY < <(compgen -W 'id name state hub time cpu' -- "$word"); return ;;
    -o | --output | --svg | --trace) mapfile -t COMPREPLY < <(compgen -f -- "$word"); return ;;
    --patch) mapfile -t COMPREPLY < <(compgen -W 'all none socket select time thread os dns signal process stdio file' -- "$word"); return ;;
    esac
    if [[ $word == -* ]]; then
        mapfile -t COMPREPLY < <(compgen -W "$(_evy_options "${COMP_WORDS[1]}") --help" -- "$word")
        return
    fi
    case ${COMP_WORDS[1]} in
    run) mapfile -t COMPREPLY < <(compgen -c -- "$word"; compgen -f -- "$word") ;;
    doctor) mapfile -t COMPREPLY < <(compgen -c -- "$word"; compgen -W "$(_evy_pids)" -- "$word") ;;
    trace | bench) mapfile -t COMPREPLY < <(compgen -c -- "$word"; compgen -f -- "$word") ;;
    ps | bt) mapfile -t COMPREPLY < <(compgen -W "$(_evy_pids)" -- "$word"; [[ -z $word ]] || compgen -f -- "$word") ;;
    top) mapfile -t COMPREPLY < <(compgen -W "$(_evy_pids)" -- "$word") ;;
    help) mapfile -t COMPREPLY < <(compgen -W "$(_evy_commands)" -- "$word") ;;
    esac
}

complete -o filenames -F _evy evy

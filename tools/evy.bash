# bash completion for evy                                          -*- shell-script -*-

_evy_pids()
{
    evy top 2>/dev/null | awk 'NR > 1 { print $1 }'
}

_evy()
{
    local word=${COMP_WORDS[COMP_CWORD]} before=${COMP_WORDS[COMP_CWORD - 1]}
    if ((COMP_CWORD == 1)); then
        mapfile -t COMPREPLY < <(compgen -W "$(evy --help | sed -n 's/^  \([a-z]*\) .*/\1/p') --help --version" -- "$word")
        return
    fi
    case $before in
    --method) mapfile -t COMPREPLY < <(compgen -W 'epoll poll select' -- "$word"); return ;;
    --log) mapfile -t COMPREPLY < <(compgen -W 'off error warn info debug' -- "$word"); return ;;
    --patch) mapfile -t COMPREPLY < <(compgen -W 'all none socket select time thread os dns signal process stdio file' -- "$word"); return ;;
    esac
    if [[ $word == -* ]]; then
        mapfile -t COMPREPLY < <(compgen -W "$(evy "${COMP_WORDS[1]}" --help | grep -oE -- '^  --?[a-z]+') --help" -- "$word")
        return
    fi
    case ${COMP_WORDS[1]} in
    run) mapfile -t COMPREPLY < <(compgen -c -- "$word"; compgen -f -- "$word") ;;
    doctor) mapfile -t COMPREPLY < <(compgen -c -- "$word"; compgen -W "$(_evy_pids)" -- "$word") ;;
    ps | bt | top) mapfile -t COMPREPLY < <(compgen -W "$(_evy_pids)" -- "$word") ;;
    esac
}

complete -o filenames -F _evy evy

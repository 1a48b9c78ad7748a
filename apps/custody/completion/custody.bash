# Bash completion for custody: commands, options, and the values that are known.
_custody()
{
    local word=${COMP_WORDS[COMP_CWORD]} previous=${COMP_WORDS[COMP_CWORD - 1]} command=${COMP_WORDS[1]} words=
    local common="--url --token --timeout --json --help"
    if ((COMP_CWORD == 1)); then
        words="check status list authorize approve reject cancel transfer watch sandbox --help --version"
    elif [[ $previous == --file || $previous == --database ]]; then
        mapfile -t COMPREPLY < <(compgen -f -- "$word")
        return
    elif [[ $previous == --status ]]; then
        words="PENDING APPROVED USED REJECTED CANCELLED EXPIRED"
    elif [[ $previous == --type ]]; then
        words="PICKUP DROPOFF GATE_OUT GATE_IN AUCTION_CHECKIN DEALER_RELEASE"
    elif [[ $previous == --vin-policy ]]; then
        words="lenient iso3779 checkdigit"
    else
        case $command in
        check) words="--file --limit --cached --batch --quiet $common" ;;
        status) words="$common" ;;
        list) words="--vin --status --limit --all $common" ;;
        authorize) words="--origin --destination --person --by --model --key $common" ;;
        approve | reject | cancel) words="--by --reason $common" ;;
        transfer) words="--type --credential --location --async --key $common" ;;
        watch) words="--vin --after $common" ;;
        sandbox)
            words="--port --host --database --secret --rate-limit --vin-policy --no-auto-provision --any-type
                   --access-log --help"
            ;;
        esac
    fi
    mapfile -t COMPREPLY < <(compgen -W "$words" -- "$word")
}
complete -F _custody custody

# Made by `bourse help --completion`.
_bourse() {
    local cur=${COMP_WORDS[COMP_CWORD]} words=${COMP_WORDS[*]:1:2}
    case "$cur" in
    --*)
        case "$words" in
        "init"*) COMPREPLY=($(compgen -W "--json --help --domain --organization --hostname --profile --user" -- "$cur")) ;;
        "serve"*) COMPREPLY=($(compgen -W "--json --help" -- "$cur")) ;;
        "user add"*) COMPREPLY=($(compgen -W "--json --help --name --password-stdin --no-password --shared --locale --quota --quota-warn --quota-send --quota-receive --quota-recoverable --quota-archive --quota-archive-warn --imap-folders --archive --hidden --given-name --surname --initials --title --department --company --office --phone --mobile --notes" -- "$cur")) ;;
        "user list"*) COMPREPLY=($(compgen -W "--json --help --prefix --shared" -- "$cur")) ;;
        "user show"*) COMPREPLY=($(compgen -W "--json --help" -- "$cur")) ;;
        "user set"*) COMPREPLY=($(compgen -W "--json --help --name --address --protocols --locale --quota --quota-warn --quota-send --quota-receive --quota-recoverable --quota-archive --quota-archive-warn --imap-folders --archive --forward --keep-copy --receipts --sent-copy --journal --hidden --given-name --surname --initials --title --department --company --office --phone --mobile --notes" -- "$cur")) ;;
        "user passwd"*) COMPREPLY=($(compgen -W "--json --help --password-stdin" -- "$cur")) ;;
        "user disable"*) COMPREPLY=($(compgen -W "--json --help" -- "$cur")) ;;
        "user enable"*) COMPREPLY=($(compgen -W "--json --help" -- "$cur")) ;;
        "user delete"*) COMPREPLY=($(compgen -W "--json --help --yes --keep-mailbox" -- "$cur")) ;;
        "user grant"*) COMPREPLY=($(compgen -W "--json --help --to --right" -- "$cur")) ;;
        "user revoke"*) COMPREPLY=($(compgen -W "--json --help --to --right" -- "$cur")) ;;
        "user rights"*) COMPREPLY=($(compgen -W "--json --help" -- "$cur")) ;;
        "group add"*) COMPREPLY=($(compgen -W "--json --help --name --filter --hidden --notes" -- "$cur")) ;;
        "group list"*) COMPREPLY=($(compgen -W "--json --help --prefix" -- "$cur")) ;;
        "group show"*) COMPREPLY=($(compgen -W "--json --help" -- "$cur")) ;;
        "group set"*) COMPREPLY=($(compgen -W "--json --help --name --address --filter --hidden --notes" -- "$cur")) ;;
        "group delete"*) COMPREPLY=($(compgen -W "--json --help --yes" -- "$cur")) ;;
        "group members list"*) COMPREPLY=($(compgen -W "--json --help --expand" -- "$cur")) ;;
        "group members add"*) COMPREPLY=($(compgen -W "--json --help" -- "$cur")) ;;
        "group members remove"*) COMPREPLY=($(compgen -W "--json --help" -- "$cur")) ;;
        "restrict"*) COMPREPLY=($(compgen -W "--json --help --authenticated-only --accept-from --reject-from" -- "$cur")) ;;
        "room add"*) COMPREPLY=($(compgen -W "--json --help --name --equipment --capacity --office --phone --locale --hidden --notes" -- "$cur")) ;;
        "room list"*) COMPREPLY=($(compgen -W "--json --help --prefix" -- "$cur")) ;;
        "room show"*) COMPREPLY=($(compgen -W "--json --help" -- "$cur")) ;;
        "room set"*) COMPREPLY=($(compgen -W "--json --help --name --address --capacity --office --phone --hidden --notes" -- "$cur")) ;;
        "room delete"*) COMPREPLY=($(compgen -W "--json --help --yes" -- "$cur")) ;;
        "contact add"*) COMPREPLY=($(compgen -W "--json --help --name --target --hidden --given-name --surname --initials --title --department --company --office --phone --mobile --notes" -- "$cur")) ;;
        "contact list"*) COMPREPLY=($(compgen -W "--json --help --prefix" -- "$cur")) ;;
        "contact show"*) COMPREPLY=($(compgen -W "--json --help" -- "$cur")) ;;
        "contact set"*) COMPREPLY=($(compgen -W "--json --help --name --target --hidden --given-name --surname --initials --title --department --company --office --phone --mobile --notes" -- "$cur")) ;;
        "contact delete"*) COMPREPLY=($(compgen -W "--json --help --yes" -- "$cur")) ;;
        "alias add"*) COMPREPLY=($(compgen -W "--json --help" -- "$cur")) ;;
        "alias list"*) COMPREPLY=($(compgen -W "--json --help" -- "$cur")) ;;
        "alias show"*) COMPREPLY=($(compgen -W "--json --help" -- "$cur")) ;;
        "alias delete"*) COMPREPLY=($(compgen -W "--json --help" -- "$cur")) ;;
        "domain add"*) COMPREPLY=($(compgen -W "--json --help" -- "$cur")) ;;
        "domain list"*) COMPREPLY=($(compgen -W "--json --help" -- "$cur")) ;;
        "domain show"*) COMPREPLY=($(compgen -W "--json --help" -- "$cur")) ;;
        "domain set"*) COMPREPLY=($(compgen -W "--json --help --catchall" -- "$cur")) ;;
        "domain delete"*) COMPREPLY=($(compgen -W "--json --help --yes" -- "$cur")) ;;
        "import"*) COMPREPLY=($(compgen -W "--json --help --folder --again --flat --crlf --file-dates --mbox-quoting --quiet --archive" -- "$cur")) ;;
        "export"*) COMPREPLY=($(compgen -W "--json --help --format --folder --quiet --archive" -- "$cur")) ;;
        "convert"*) COMPREPLY=($(compgen -W "--json --help --from --to --version" -- "$cur")) ;;
        "folder list"*) COMPREPLY=($(compgen -W "--json --help --archive" -- "$cur")) ;;
        "folder create"*) COMPREPLY=($(compgen -W "--json --help --archive" -- "$cur")) ;;
        "folder delete"*) COMPREPLY=($(compgen -W "--json --help --yes" -- "$cur")) ;;
        "folder grant"*) COMPREPLY=($(compgen -W "--json --help" -- "$cur")) ;;
        "folder rights"*) COMPREPLY=($(compgen -W "--json --help" -- "$cur")) ;;
        "public add"*) COMPREPLY=($(compgen -W "--json --help" -- "$cur")) ;;
        "public list"*) COMPREPLY=($(compgen -W "--json --help" -- "$cur")) ;;
        "public show"*) COMPREPLY=($(compgen -W "--json --help" -- "$cur")) ;;
        "public set"*) COMPREPLY=($(compgen -W "--json --help --item-size --quota --age-days" -- "$cur")) ;;
        "public delete"*) COMPREPLY=($(compgen -W "--json --help --yes" -- "$cur")) ;;
        "public mail-enable"*) COMPREPLY=($(compgen -W "--json --help --name" -- "$cur")) ;;
        "public mail-disable"*) COMPREPLY=($(compgen -W "--json --help" -- "$cur")) ;;
        "message list"*) COMPREPLY=($(compgen -W "--json --help --folder --limit --newest --archive" -- "$cur")) ;;
        "message show"*) COMPREPLY=($(compgen -W "--json --help --folder --headers --archive" -- "$cur")) ;;
        "recover list"*) COMPREPLY=($(compgen -W "--json --help --folder --subject --from --since --before --id --held --archive" -- "$cur")) ;;
        "recover restore"*) COMPREPLY=($(compgen -W "--json --help --folder --subject --from --since --before --id --held --archive --all --to" -- "$cur")) ;;
        "recover folders"*) COMPREPLY=($(compgen -W "--json --help" -- "$cur")) ;;
        "recover folder"*) COMPREPLY=($(compgen -W "--json --help" -- "$cur")) ;;
        "hold show"*) COMPREPLY=($(compgen -W "--json --help" -- "$cur")) ;;
        "hold set"*) COMPREPLY=($(compgen -W "--json --help --days" -- "$cur")) ;;
        "retention add"*) COMPREPLY=($(compgen -W "--json --help --action --days --folder" -- "$cur")) ;;
        "retention list"*) COMPREPLY=($(compgen -W "--json --help" -- "$cur")) ;;
        "retention delete"*) COMPREPLY=($(compgen -W "--json --help --yes" -- "$cur")) ;;
        "retention assign"*) COMPREPLY=($(compgen -W "--json --help --folder --archive" -- "$cur")) ;;
        "retention run"*) COMPREPLY=($(compgen -W "--json --help" -- "$cur")) ;;
        "status"*) COMPREPLY=($(compgen -W "--json --help" -- "$cur")) ;;
        "check"*) COMPREPLY=($(compgen -W "--json --help --repair --contents --user" -- "$cur")) ;;
        "index"*) COMPREPLY=($(compgen -W "--json --help --status --rebuild --drop" -- "$cur")) ;;
        "backup"*) COMPREPLY=($(compgen -W "--json --help --to --incremental --quiet" -- "$cur")) ;;
        "backup list"*) COMPREPLY=($(compgen -W "--json --help" -- "$cur")) ;;
        "backup verify"*) COMPREPLY=($(compgen -W "--json --help" -- "$cur")) ;;
        "backup prune"*) COMPREPLY=($(compgen -W "--json --help --keep" -- "$cur")) ;;
        "restore"*) COMPREPLY=($(compgen -W "--json --help --from --at --replace --as --folder --message --to --list" -- "$cur")) ;;
        "move"*) COMPREPLY=($(compgen -W "--json --help --to" -- "$cur")) ;;
        "migrate"*) COMPREPLY=($(compgen -W "--json --help --status --forget-old" -- "$cur")) ;;
        "queue list"*) COMPREPLY=($(compgen -W "--json --help" -- "$cur")) ;;
        "queue show"*) COMPREPLY=($(compgen -W "--json --help" -- "$cur")) ;;
        "queue destinations"*) COMPREPLY=($(compgen -W "--json --help" -- "$cur")) ;;
        "queue hold"*) COMPREPLY=($(compgen -W "--json --help" -- "$cur")) ;;
        "queue release"*) COMPREPLY=($(compgen -W "--json --help" -- "$cur")) ;;
        "queue flush"*) COMPREPLY=($(compgen -W "--json --help" -- "$cur")) ;;
        "queue retry"*) COMPREPLY=($(compgen -W "--json --help" -- "$cur")) ;;
        "queue drop"*) COMPREPLY=($(compgen -W "--json --help --yes" -- "$cur")) ;;
        "junk list"*) COMPREPLY=($(compgen -W "--json --help" -- "$cur")) ;;
        "junk add"*) COMPREPLY=($(compgen -W "--json --help --safe-sender --blocked-sender --safe-recipient" -- "$cur")) ;;
        "junk remove"*) COMPREPLY=($(compgen -W "--json --help --safe-sender --blocked-sender --safe-recipient" -- "$cur")) ;;
        "junk level"*) COMPREPLY=($(compgen -W "--json --help" -- "$cur")) ;;
        "dkim create"*) COMPREPLY=($(compgen -W "--json --help --selector --type" -- "$cur")) ;;
        "dkim list"*) COMPREPLY=($(compgen -W "--json --help" -- "$cur")) ;;
        "dkim show"*) COMPREPLY=($(compgen -W "--json --help --selector" -- "$cur")) ;;
        "dkim delete"*) COMPREPLY=($(compgen -W "--json --help --selector --yes" -- "$cur")) ;;
        "dns"*) COMPREPLY=($(compgen -W "--json --help --check" -- "$cur")) ;;
        "track"*) COMPREPLY=($(compgen -W "--json --help --sender --recipient --message-id --queue-id --since --until --limit" -- "$cur")) ;;
        "probe"*) COMPREPLY=($(compgen -W "--json --help --password-stdin --user --scenario --ca --insecure" -- "$cur")) ;;
        "help"*) COMPREPLY=($(compgen -W "--json --help --man --completion" -- "$cur")) ;;
        "version"*) COMPREPLY=($(compgen -W "--json --help" -- "$cur")) ;;
        esac
        return ;;
    esac
    case $COMP_CWORD in
    1) COMPREPLY=($(compgen -W "init serve user group restrict room contact alias domain import export convert folder public message recover hold retention status check index backup restore move migrate queue junk dkim dns track probe help version" -- "$cur")); return ;;
    2) case "${COMP_WORDS[1]}" in
        user) COMPREPLY=($(compgen -W "add list show set passwd disable enable delete grant revoke rights" -- "$cur")); return ;;
        group) COMPREPLY=($(compgen -W "add list show set delete members" -- "$cur")); return ;;
        room) COMPREPLY=($(compgen -W "add list show set delete" -- "$cur")); return ;;
        contact) COMPREPLY=($(compgen -W "add list show set delete" -- "$cur")); return ;;
        alias) COMPREPLY=($(compgen -W "add list show delete" -- "$cur")); return ;;
        domain) COMPREPLY=($(compgen -W "add list show set delete" -- "$cur")); return ;;
        folder) COMPREPLY=($(compgen -W "list create delete grant rights" -- "$cur")); return ;;
        public) COMPREPLY=($(compgen -W "add list show set delete mail-enable mail-disable" -- "$cur")); return ;;
        message) COMPREPLY=($(compgen -W "list show" -- "$cur")); return ;;
        recover) COMPREPLY=($(compgen -W "list restore folders" -- "$cur")); return ;;
        hold) COMPREPLY=($(compgen -W "show set" -- "$cur")); return ;;
        retention) COMPREPLY=($(compgen -W "add list delete assign run" -- "$cur")); return ;;
        backup) COMPREPLY=($(compgen -W "list verify prune" -- "$cur")); return ;;
        queue) COMPREPLY=($(compgen -W "list show destinations hold release flush retry drop" -- "$cur")); return ;;
        junk) COMPREPLY=($(compgen -W "list add remove level" -- "$cur")); return ;;
        dkim) COMPREPLY=($(compgen -W "create list show delete" -- "$cur")); return ;;
        esac ;;
    esac
    COMPREPLY=($(compgen -f -- "$cur"))
}
complete -o filenames -F _bourse bourse

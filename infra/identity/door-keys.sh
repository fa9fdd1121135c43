#!/usr/bin/env bash
# Gives the functions of each door one common key, so that a caller holds one key and not a dozen. Prints both as lines
# for docs/.env (docs/admin.http) or a password store. Running it again makes new keys; the old ones stop working.
#
#   door-keys.sh --app FUNCTION_APP --resource-group GROUP [--door admin|user] [--dry-run]
#
#   --app            name of the function app: output functionAppName / function_app_name
#   --door           this door only; without it both
#   --dry-run        print the commands instead of running them
#
# The user door's key is for Business Central, the admin door's for administrators (docs/security.md). Host and master
# keys, which open both, are given to nobody. Needs the Azure CLI, openssl, and the right to set the app's keys
# (Website Contributor), after the package is deployed: before it there are no functions.
set -euo pipefail

app='' group='' doors='admin user' dry_run=false

refuse() {
    echo "door-keys.sh: $1" >&2
    exit 2
}

while [ $# -gt 0 ]; do
    case "$1" in
        --app | --resource-group | --door)
            [ $# -gt 1 ] && [ -n "$2" ] && [[ $2 != --* ]] || refuse "$1 needs a value"
            case "$1" in
                --app) app=$2 ;;
                --resource-group) group=$2 ;;
                --door) doors=$2 ;;
            esac
            shift 2
            ;;
        --dry-run) dry_run=true && shift ;;
        *) refuse "unknown: $1" ;;
    esac
done

[ -n "$app" ] || refuse "--app is missing"
[ -n "$group" ] || refuse "--resource-group is missing"
[[ $doors =~ ^(admin|user|admin user)$ ]] || refuse "--door is admin or user"

# The Azure CLI names them APP/FUNCTION; the functions of a door begin with its name.
names=$(az functionapp function list --name "$app" --resource-group "$group" --query '[].name' -o tsv </dev/null)
for door in $doors; do
    functions=$(sed 's|.*/||' <<<"$names" | grep "^${door}_" || true)
    [ -n "$functions" ] || refuse "$app has no functions of the $door door: deploy the package first"
    key=$(openssl rand -hex 32)
    for function in $functions; do
        command=(az functionapp function keys set --name "$app" --resource-group "$group" --function-name "$function"
            --key-name door --key-value "$key" --output none)
        if $dry_run; then
            printf '%q ' "${command[@]/$key/KEY}" && echo
        else
            "${command[@]}" </dev/null
        fi
    done
    $dry_run || echo "${door^^}_KEY=$key"
done

#!/usr/bin/env bash
# Registers the app in Entra: application, trust in the managed identity (no secret), permissions with admin consent.
# Prints what is left to do in Exchange Online and in Business Central. Running it again changes nothing that is right.
#
#   register-app.sh --name NAME --identity OBJECT_ID --tenant TENANT_ID (--mailbox-group GROUP | --all-mailboxes)
#                   [--directory] [--import-groups] [--import-bc-users] [--issuer URL] [--audience URI] [--dry-run]
#
#   --identity       object id of the managed identity: output identityPrincipalId / identity_principal_id. Without it
#                    the registration trusts nobody yet: run again with it after the deployment, which needs the client id
#   --mailbox-group  limits the app to the mailboxes of one mail-enabled group, by RBAC for Applications in Exchange
#   --all-mailboxes  the wider choice: Contacts.* is consented in Entra, for every mailbox of the tenant
#   --directory      User.Read.All as well: finding users by e-mail address; without it users are named by object id
#   --import-groups  GroupMember.Read.All and User.Read.All as well: importing users from Entra groups
#   --import-bc-users  Automation.ReadWrite.All of Business Central as well: importing its users; wider than that needs
#   --issuer, --audience   of the cloud; the defaults are the public cloud's
#   --dry-run        print the commands instead of running them
#
# Needs the Azure CLI, logged in as Privileged Role Administrator (or Global Administrator).
set -euo pipefail

GRAPH=00000003-0000-0000-c000-000000000000
BUSINESS_CENTRAL=996def3d-b36c-4153-8607-a6fd3c01b89f
CONTACTS_READ=089fe4d0-434a-44c5-8827-41ba8a0b17f5
CONTACTS_READ_WRITE=6918b873-d17a-4dc1-b314-35f528134491
GROUP_MEMBER_READ_ALL=98830695-27a2-44f7-8c18-0c3ebc9698f6
USER_READ_ALL=df021288-bdef-4463-88db-98f22de89214

name='' identity='' tenant='' group='' issuer='' audience='api://AzureADTokenExchange'
everybody=false directory=false groups=false bc_users=false dry_run=false

refuse() {
    echo "register-app.sh: $1" >&2
    exit 2
}

while [ $# -gt 0 ]; do
    case "$1" in
        --name | --identity | --tenant | --mailbox-group | --issuer | --audience)
            [ $# -gt 1 ] && [ -n "$2" ] && [[ $2 != --* ]] || refuse "$1 needs a value"
            case "$1" in
                --name) name=$2 ;;
                --identity) identity=$2 ;;
                --tenant) tenant=$2 ;;
                --mailbox-group) group=$2 ;;
                --issuer) issuer=$2 ;;
                --audience) audience=$2 ;;
            esac
            shift 2
            ;;
        --all-mailboxes) everybody=true && shift ;;
        --directory) directory=true && shift ;;
        --import-groups) groups=true directory=true && shift ;;
        --import-bc-users) bc_users=true && shift ;;
        --dry-run) dry_run=true && shift ;;
        *) refuse "unknown: $1" ;;
    esac
done

[ -n "$name" ] || refuse "--name is missing"
[ -n "$tenant" ] || refuse "--tenant is missing"
if [ -n "$group" ] && $everybody; then
    refuse "--mailbox-group and --all-mailboxes exclude each other: consent for all mailboxes would undo the limit"
fi
[ -n "$group" ] || $everybody || refuse "choose --mailbox-group GROUP (best) or --all-mailboxes"
for id in "$identity" "$tenant"; do
    [ -z "$id" ] || [[ $id =~ ^[0-9a-fA-F]{8}(-[0-9a-fA-F]{4}){3}-[0-9a-fA-F]{12}$ ]] || refuse "$id is no object id"
done
[[ $name$group =~ [\'\"] ]] && refuse "names with quotation marks do not work here"
issuer=${issuer:-https://login.microsoftonline.com/$tenant/v2.0}

# Runs a command that changes something; a dry run prints it. Reading commands run through `ask`.
change() {
    if $dry_run; then
        printf '%q ' "$@"
        echo
    else
        "$@" </dev/null
    fi
}

# Answers what the command prints; a dry run prints the command and answers the placeholder, its first argument.
ask() {
    local placeholder=$1
    shift
    if $dry_run; then
        { printf '%q ' "$@" && echo; } >&2
        echo "$placeholder"
    else
        "$@" </dev/null
    fi
}

if ! $dry_run; then
    logged_in=$(az account show --query tenantId -o tsv </dev/null)
    [ "$logged_in" = "$tenant" ] || refuse "the Azure CLI is logged in to the tenant $logged_in: az login --tenant $tenant"
fi

# ---------------------------------------------------------------- application and enterprise application

client_id=''
$dry_run || client_id=$(ask CLIENT_ID az ad app list --filter "displayName eq '$name'" --query '[].appId' -o tsv)
[ "$(wc -w <<<"$client_id")" -le 1 ] || refuse "several registrations are called $name: choose another name"
if [ -z "$client_id" ]; then
    client_id=$(ask CLIENT_ID az ad app create --display-name "$name" --sign-in-audience AzureADMyOrg --query appId -o tsv)
fi
principal=''
$dry_run || principal=$(ask PRINCIPAL_ID az ad sp list --filter "appId eq '$client_id'" --query '[].id' -o tsv)
if [ -z "$principal" ]; then
    principal=$(ask PRINCIPAL_ID az ad sp create --id "$client_id" --query id -o tsv)
fi

# What is consented, or listed and so about to be, may contradict the limit.
if [ -n "$group" ] && ! $dry_run; then
    graph_root=$(az cloud show --query endpoints.microsoftGraphResourceId -o tsv </dev/null)
    consented=$(az rest --method GET --query 'value[].appRoleId' -o tsv </dev/null \
        --url "${graph_root%/}/v1.0/servicePrincipals/$principal/appRoleAssignments")
    listed=$(az ad app permission list --id "$client_id" --query '[].resourceAccess[].id' -o tsv </dev/null)
    case "$consented $listed" in
        *"$CONTACTS_READ"* | *"$CONTACTS_READ_WRITE"*)
            refuse "Contacts.* is consented or listed for all mailboxes, which would undo the limit: remove it first" ;;
    esac
fi

# ---------------------------------------------------------------- trust in the managed identity

if [ -n "$identity" ]; then
    subjects=''
    $dry_run || subjects=$(ask SUBJECTS az ad app federated-credential list --id "$client_id" --query '[].subject' -o tsv)
    if ! grep -qiF -- "$identity" <<<"$subjects"; then
        change az ad app federated-credential create --id "$client_id" --parameters \
            "{\"name\": \"managed-identity\", \"issuer\": \"$issuer\", \"subject\": \"$identity\", \"audiences\": [\"$audience\"]}"
    fi
fi

# ---------------------------------------------------------------- permissions

permissions=()
if $everybody; then permissions+=("$CONTACTS_READ=Role" "$CONTACTS_READ_WRITE=Role"); fi
if $directory; then permissions+=("$USER_READ_ALL=Role"); fi
if $groups; then permissions+=("$GROUP_MEMBER_READ_ALL=Role"); fi
if [ ${#permissions[@]} -gt 0 ]; then
    change az ad app permission add --id "$client_id" --api "$GRAPH" --api-permissions "${permissions[@]}"
fi
bc_permissions=(API.ReadWrite.All)
if $bc_users; then bc_permissions+=(Automation.ReadWrite.All); fi
for permission in "${bc_permissions[@]}"; do
    bc_role=$(ask "ID_OF_$permission" az ad sp show --id "$BUSINESS_CENTRAL" \
        --query "appRoles[?value=='$permission'].id" -o tsv)
    [ -n "$bc_role" ] || refuse "Business Central knows no $permission in this tenant: is it set up?"
    change az ad app permission add --id "$client_id" --api "$BUSINESS_CENTRAL" --api-permissions "$bc_role=Role"
done
change az ad app permission admin-consent --id "$client_id"

# ---------------------------------------------------------------- what is left

echo
echo "Client id (entraClientId / entra_client_id of the templates): $client_id"
if [ -n "$group" ]; then
    cat <<COMMANDS

In Exchange Online PowerShell, as Organization Management (changes take 30 minutes to 2 hours to work):

  Connect-ExchangeOnline
  New-ServicePrincipal -AppId '$client_id' -ObjectId '$principal' -DisplayName '$name'
  \$group = (Get-Group '$group').DistinguishedName
  New-ManagementScope -Name '$name' -RecipientRestrictionFilter "MemberOfGroup -eq '\$group'"
  New-ManagementRoleAssignment -App '$principal' -Role 'Application Contacts.Read' -CustomResourceScope '$name'
  New-ManagementRoleAssignment -App '$principal' -Role 'Application Contacts.ReadWrite' -CustomResourceScope '$name'

  Test-ServicePrincipalAuthorization -Identity '$principal' -Resource USER_IN_THE_GROUP
  Test-ServicePrincipalAuthorization -Identity '$principal' -Resource USER_OUTSIDE_IT

The first test must answer InScope True for both roles, the second one False. They show at once what takes hours to work.
Only direct members of the group count. Do not consent Contacts.* in Entra for this app: that would undo the limit.
COMMANDS
fi
cat <<COMMANDS

In Business Central, for each environment, as an administrator: search for "Microsoft Entra Applications", New:
  Client ID    $client_id
  Description  $name
  then the permission sets (while State is Disabled): LOGIN, the set of infra/identity/README.md, and "Webhook - Edit"
  State        Enabled
COMMANDS

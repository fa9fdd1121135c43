using 'main.bicep'

// azd fills these in from its environment: azd env set NAME value
param name = readEnvironmentVariable('CONTACT_SYNC_NAME', 'contososync')
param entraClientId = readEnvironmentVariable('ENTRA_CLIENT_ID', '00000000-0000-0000-0000-000000000000')
param bcEnvironment = readEnvironmentVariable('BC_ENVIRONMENT', 'Production')
param alertEmails = ['sync-admins@contoso.com']

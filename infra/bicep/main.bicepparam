using 'main.bicep'

// From the environment; azd fills it from its own: azd env set NAME value
param name = readEnvironmentVariable('CONTACT_SYNC_NAME')
param entraClientId = readEnvironmentVariable('ENTRA_CLIENT_ID')
param bcEnvironment = readEnvironmentVariable('BC_ENVIRONMENT', 'Production')
param alertEmails = split(readEnvironmentVariable('ALERT_EMAILS'), ',')

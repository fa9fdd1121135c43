targetScope = 'resourceGroup'

@description('Begins the names of all resources: st{name}, func-{name}, kv-{name} and so on. Storage account, function app and vault need names that nobody else has.')
@minLength(3)
@maxLength(16)
param name string

@description('Azure region; one that offers Flex Consumption.')
param location string = resourceGroup().location

@description('Application (client) id of the app registration.')
param entraClientId string

@description('Tenant of the app registration and of the mailboxes.')
param entraTenantId string = tenant().tenantId

@description('Tenant of the Business Central environment; blank: the same.')
param bcTenant string = ''

@description('Name of the Business Central environment.')
param bcEnvironment string = 'Production'

@description('How the app proves who it is: federated (the managed identity stands for it, no secret at all), certificate or secret (both out of the Key Vault that is made for them).')
@allowed(['federated', 'certificate', 'secret'])
param credential string = 'federated'

@description('Root of the address at which Graph and Business Central reach the app; blank: the function app\'s own.')
param publicAddress string = ''

@description('Begins the names of tables and queues. Small letters and digits.')
@minLength(3)
@maxLength(30)
param storagePrefix string = 'contactsync'

@description('Redundancy of the storage account.')
@allowed(['Standard_LRS', 'Standard_ZRS', 'Standard_GRS', 'Standard_GZRS'])
param storageSku string = 'Standard_ZRS'

@description('When the timer looks for work: six fields, UTC.')
param syncSchedule string = '0 */5 * * * *'

@description('When the timer looks after subscriptions: six fields, UTC.')
param upkeepSchedule string = '30 */15 * * * *'

@description('When saved imports of users are repeated: six fields, UTC.')
param importSchedule string = '0 0 1 * * *'

@description('Instances that are always ready for HTTP. Without one a cold start exceeds what Business Central and Graph wait for an answer.')
@minValue(0)
@maxValue(20)
param alwaysReadyInstances int = 1

@description('Most instances per group of functions.')
@minValue(40)
@maxValue(1000)
param maximumInstances int = 40

@description('Memory of an instance.')
@allowed([512, 2048, 4096])
param instanceMemoryMB int = 2048

@description('How many days logs are kept.')
@minValue(30)
@maxValue(730)
param logRetentionDays int = 30

@description('Who gets an e-mail when an alert fires.')
param alertEmails array = []

@description('An alert tells of work and of a timer that are late by more than this many minutes: three times the interval of syncSchedule.')
@minValue(5)
@maxValue(300)
param lateMinutes int = 15

@description('An alert tells when more than this share of the runs of an hour failed.')
@minValue(0)
@maxValue(100)
param failedRunsPercent int = 20

@description('Further settings by name (docs/configuration.md); they replace the defaults of settings.json. Never a secret.')
param settings object = {}

@description('Tags of all resources.')
param tags object = {}

var usesVault = credential != 'federated'

resource identity 'Microsoft.ManagedIdentity/userAssignedIdentities@2024-11-30' = {
  name: 'id-${name}'
  location: location
  tags: tags
}

module storage 'modules/storage.bicep' = {
  name: 'storage'
  params: {
    name: 'st${name}'
    location: location
    tags: tags
    sku: storageSku
    prefix: storagePrefix
    principalId: identity.properties.principalId
  }
}

module monitoring 'modules/monitoring.bicep' = {
  name: 'monitoring'
  params: {
    name: name
    location: location
    tags: tags
    retentionDays: logRetentionDays
    principalId: identity.properties.principalId
    emails: alertEmails
    lateMinutes: lateMinutes
    failedRunsPercent: failedRunsPercent
  }
}

module vault 'modules/vault.bicep' = if (usesVault) {
  name: 'vault'
  params: {
    name: 'kv-${name}'
    location: location
    tags: tags
    principalId: app.outputs.principalId
  }
}

module app 'modules/app.bicep' = {
  name: 'app'
  params: {
    name: name
    location: location
    tags: tags
    identityId: identity.id
    usesVault: usesVault
    packageContainer: storage.outputs.packageContainer
    alwaysReadyInstances: alwaysReadyInstances
    maximumInstances: maximumInstances
    instanceMemoryMB: instanceMemoryMB
  }
}

module appSettings 'modules/settings.bicep' = {
  name: 'settings'
  dependsOn: [vault]
  params: {
    appName: app.outputs.name
    settings: union(loadJsonContent('../settings.json'), settings, {
      AzureWebJobsStorage__accountName: storage.outputs.name
      AzureWebJobsStorage__blobServiceUri: storage.outputs.blobEndpoint
      AzureWebJobsStorage__queueServiceUri: storage.outputs.queueEndpoint
      AzureWebJobsStorage__tableServiceUri: storage.outputs.tableEndpoint
      AzureWebJobsStorage__credential: 'managedidentity'
      AzureWebJobsStorage__clientId: identity.properties.clientId
      APPLICATIONINSIGHTS_CONNECTION_STRING: monitoring.outputs.connectionString
      APPLICATIONINSIGHTS_AUTHENTICATION_STRING: 'ClientId=${identity.properties.clientId};Authorization=AAD'
      PYTHON_THREADPOOL_THREAD_COUNT: '8'
      ENTRA_TENANT_ID: entraTenantId
      ENTRA_CLIENT_ID: entraClientId
      MANAGED_IDENTITY_CLIENT_ID: credential == 'federated' ? identity.properties.clientId : ''
      ENTRA_CLIENT_CERTIFICATE: credential == 'certificate' ? '@Microsoft.KeyVault(VaultName=kv-${name};SecretName=entra-client-certificate)' : ''
      ENTRA_CLIENT_SECRET: credential == 'secret' ? '@Microsoft.KeyVault(VaultName=kv-${name};SecretName=entra-client-secret)' : ''
      BC_TENANT: bcTenant
      BC_ENVIRONMENT: bcEnvironment
      PUBLIC_ADDRESS: publicAddress
      STORAGE_PREFIX: storagePrefix
      SYNC_SCHEDULE: syncSchedule
      UPKEEP_SCHEDULE: upkeepSchedule
      IMPORT_SCHEDULE: importSchedule
    })
  }
}

@description('Name of the function app, for the deployment of the package.')
output functionAppName string = app.outputs.name

@description('Where the app answers.')
output appAddress string = 'https://${app.outputs.hostName}'

@description('Object id of the managed identity: the subject that the app registration trusts.')
output identityPrincipalId string = identity.properties.principalId

@description('Client id of the managed identity.')
output identityClientId string = identity.properties.clientId

@description('Name of the storage account.')
output storageAccountName string = storage.outputs.name

@description('Name of the Key Vault that waits for the certificate or secret; blank when none is used.')
output keyVaultName string = usesVault ? 'kv-${name}' : ''

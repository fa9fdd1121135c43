@description('The storage account: package, queues, tables, and what the identity may do with them. No keys.')
param name string
param location string
param tags object
param sku string
param prefix string
param principalId string

var queueNames = ['sync-jobs', 'sync-jobs-poison', 'company-jobs', 'company-jobs-poison']
var tableNames = ['mailboxes', 'companies', 'profiles', 'marks', 'reports', 'subscriptions', 'journal', 'imports']
var roles = {
  'Storage Blob Data Owner': 'b7e6dc6d-f1e8-4753-8033-0f276bb0955b'
  'Storage Queue Data Contributor': '974c5e8b-45b9-4653-ba55-5f855dd0fb88'
  'Storage Table Data Contributor': '0a9a7e1f-b9d0-4cc4-a60d-0319b160aaa3'
}

resource account 'Microsoft.Storage/storageAccounts@2025-01-01' = {
  name: name
  location: location
  tags: tags
  kind: 'StorageV2'
  sku: { name: sku }
  properties: {
    allowSharedKeyAccess: false
    allowBlobPublicAccess: false
    allowCrossTenantReplication: false
    defaultToOAuthAuthentication: true
    minimumTlsVersion: 'TLS1_2'
    supportsHttpsTrafficOnly: true
    isLocalUserEnabled: false
    publicNetworkAccess: 'Enabled'
  }

  resource blobs 'blobServices' = {
    name: 'default'
    resource package 'containers' = {
      name: 'app-package'
      properties: { publicAccess: 'None' }
    }
  }

  resource queueService 'queueServices' = {
    name: 'default'
    resource queue 'queues' = [for each in queueNames: { name: '${prefix}-${each}' }]
  }

  resource tableService 'tableServices' = {
    name: 'default'
    resource table 'tables' = [for each in tableNames: { name: '${prefix}${each}' }]
  }
}

resource assignment 'Microsoft.Authorization/roleAssignments@2022-04-01' = [for role in items(roles): {
  name: guid(account.id, principalId, role.value)
  scope: account
  properties: {
    principalId: principalId
    principalType: 'ServicePrincipal'
    roleDefinitionId: subscriptionResourceId('Microsoft.Authorization/roleDefinitions', role.value)
  }
}]

output name string = account.name
output blobEndpoint string = account.properties.primaryEndpoints.blob
output queueEndpoint string = account.properties.primaryEndpoints.queue
output tableEndpoint string = account.properties.primaryEndpoints.table
output packageContainer string = '${account.properties.primaryEndpoints.blob}${account::blobs::package.name}'

@description('Logs, the alerts on them (../../alerts.json), and the workbook (../../workbook.json).')
param name string
param location string
param tags object
param retentionDays int
param principalId string
param emails array
param lateMinutes int
param failedRunsPercent int

var alerts = loadJsonContent('../../alerts.json')
var roles = {
  'Monitoring Metrics Publisher': '3913510d-42f4-4e42-8a64-420c390055eb'
}

resource workspace 'Microsoft.OperationalInsights/workspaces@2025-02-01' = {
  name: 'log-${name}'
  location: location
  tags: tags
  properties: {
    sku: { name: 'PerGB2018' }
    retentionInDays: retentionDays
    features: { disableLocalAuth: true }
  }
}

resource insights 'Microsoft.Insights/components@2020-02-02' = {
  name: 'appi-${name}'
  location: location
  tags: tags
  kind: 'web'
  properties: {
    Application_Type: 'web'
    WorkspaceResourceId: workspace.id
    DisableLocalAuth: true
  }
}

resource assignment 'Microsoft.Authorization/roleAssignments@2022-04-01' = [for role in items(roles): {
  name: guid(insights.id, principalId, role.value)
  scope: insights
  properties: {
    principalId: principalId
    principalType: 'ServicePrincipal'
    roleDefinitionId: subscriptionResourceId('Microsoft.Authorization/roleDefinitions', role.value)
  }
}]

resource people 'Microsoft.Insights/actionGroups@2023-01-01' = {
  name: 'ag-${name}'
  location: 'global'
  tags: tags
  properties: {
    enabled: true
    groupShortName: 'contactsync'
    emailReceivers: [for (address, i) in emails: {
      name: 'person-${i}'
      emailAddress: address
      useCommonAlertSchema: true
    }]
  }
}

resource alert 'Microsoft.Insights/scheduledQueryRules@2023-12-01' = [for each in alerts: {
  name: 'alert-${name}-${each.name}'
  location: location
  tags: tags
  kind: 'LogAlert'
  properties: {
    displayName: each.title
    description: each.description
    severity: each.severity
    enabled: true
    autoMitigate: true
    scopes: [insights.id]
    evaluationFrequency: 'PT15M'
    windowSize: each.window
    criteria: {
      allOf: [
        {
          query: replace(replace(join(each.query, '\n'), '{lateMinutes}', string(lateMinutes)), '{failedRunsPercent}', string(failedRunsPercent))
          metricMeasureColumn: 'value'
          timeAggregation: 'Total'
          operator: 'GreaterThan'
          threshold: 0
          failingPeriods: { numberOfEvaluationPeriods: 1, minFailingPeriodsToAlert: 1 }
        }
      ]
    }
    actions: { actionGroups: [people.id] }
  }
}]

resource workbook 'Microsoft.Insights/workbooks@2023-06-01' = {
  name: guid(resourceGroup().id, name, 'workbook')
  location: location
  tags: tags
  kind: 'shared'
  properties: {
    displayName: 'Contact sync ${name}'
    category: 'workbook'
    sourceId: insights.id
    serializedData: loadTextContent('../../workbook.json')
  }
}

output connectionString string = insights.properties.ConnectionString

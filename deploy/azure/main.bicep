// The console on Container Apps: replicas with sticky sessions, PostgreSQL in a network of their own without passwords,
// one managed identity, and the log in Log Analytics. docs/hosting.md has what comes before and after.
targetScope = 'resourceGroup'

@description('Also the name of the database account.')
@minLength(3)
@maxLength(24)
param name string = 'acr-console'
param location string = resourceGroup().location

@description('The image in a registry that the identity may pull from, by its digest.')
param image string
@description('The address that browsers open, https://HOST. Empty: the one that Container Apps gives.')
param publicUrl string = ''
@description('The application in Entra that people sign in with.')
param clientId string
param tenantId string = tenant().tenantId
@description('As whom Azure is asked: entra, as each person; entra-shared, as the managed identity, by app roles.')
@allowed(['entra', 'entra-shared'])
param signIn string = 'entra'

@minValue(1)
@maxValue(10)
param replicas int = 2
param databaseSku object = {
  name: 'Standard_B1ms'
  tier: 'Burstable'
}

@description('Fernet keys with commas between, the newest first.')
@secure()
param keys string
@description('Signs the cookies of Streamlit; the same for all replicas.')
@secure()
param cookieSecret string

var serverName = '${name}-${uniqueString(resourceGroup().id)}'
var host = empty(publicUrl) ? '${name}.${environment.properties.defaultDomain}' : replace(publicUrl, 'https://', '')
var readyProbe = {
  path: '/readyz'
  port: 8501
}
var aliveProbe = {
  path: '/healthz'
  port: 8501
}

resource identity 'Microsoft.ManagedIdentity/userAssignedIdentities@2023-01-31' = {
  name: name
  location: location
}

resource network 'Microsoft.Network/virtualNetworks@2024-01-01' = {
  name: name
  location: location
  properties: {
    addressSpace: {
      addressPrefixes: ['10.60.0.0/16']
    }
    subnets: [
      {
        name: 'apps'
        properties: {
          addressPrefix: '10.60.0.0/23'
          delegations: [
            {
              name: 'apps'
              properties: {
                serviceName: 'Microsoft.App/environments'
              }
            }
          ]
        }
      }
      {
        name: 'database'
        properties: {
          addressPrefix: '10.60.2.0/28'
          delegations: [
            {
              name: 'database'
              properties: {
                serviceName: 'Microsoft.DBforPostgreSQL/flexibleServers'
              }
            }
          ]
        }
      }
    ]
  }
}

resource appsSubnet 'Microsoft.Network/virtualNetworks/subnets@2024-01-01' existing = {
  parent: network
  name: 'apps'
}

resource databaseSubnet 'Microsoft.Network/virtualNetworks/subnets@2024-01-01' existing = {
  parent: network
  name: 'database'
}

resource zone 'Microsoft.Network/privateDnsZones@2020-06-01' = {
  name: '${name}.private.postgres.database.azure.com'
  location: 'global'
}

resource zoneLink 'Microsoft.Network/privateDnsZones/virtualNetworkLinks@2020-06-01' = {
  parent: zone
  name: name
  location: 'global'
  properties: {
    registrationEnabled: false
    virtualNetwork: {
      id: network.id
    }
  }
}

resource server 'Microsoft.DBforPostgreSQL/flexibleServers@2024-08-01' = {
  name: serverName
  location: location
  sku: databaseSku
  dependsOn: [zoneLink]
  properties: {
    version: '16'
    storage: {
      storageSizeGB: 32
    }
    network: {
      delegatedSubnetResourceId: databaseSubnet.id
      privateDnsZoneArmResourceId: zone.id
    }
    authConfig: {
      activeDirectoryAuth: 'Enabled'
      passwordAuth: 'Disabled'
      tenantId: tenantId
    }
    backup: {
      backupRetentionDays: 14
    }
  }
}

resource database 'Microsoft.DBforPostgreSQL/flexibleServers/databases@2024-08-01' = {
  parent: server
  name: 'console'
}

// The console brings its own schema up to date, so its identity owns the database.
resource databaseAccount 'Microsoft.DBforPostgreSQL/flexibleServers/administrators@2024-08-01' = {
  parent: server
  name: identity.properties.principalId
  dependsOn: [database]
  properties: {
    principalName: identity.name
    principalType: 'ServicePrincipal'
    tenantId: tenantId
  }
}

resource logs 'Microsoft.OperationalInsights/workspaces@2023-09-01' = {
  name: name
  location: location
  properties: {
    sku: {
      name: 'PerGB2018'
    }
    // The heads of the activity log are worth as much as their age.
    retentionInDays: 400
  }
}

resource environment 'Microsoft.App/managedEnvironments@2024-03-01' = {
  name: name
  location: location
  properties: {
    vnetConfiguration: {
      infrastructureSubnetId: appsSubnet.id
    }
    workloadProfiles: [
      {
        name: 'Consumption'
        workloadProfileType: 'Consumption'
      }
    ]
    appLogsConfiguration: {
      destination: 'log-analytics'
      logAnalyticsConfiguration: {
        customerId: logs.properties.customerId
        sharedKey: logs.listKeys().primarySharedKey
      }
    }
  }
}

resource app 'Microsoft.App/containerApps@2024-03-01' = {
  name: name
  location: location
  dependsOn: [databaseAccount]
  identity: {
    type: 'UserAssigned'
    userAssignedIdentities: {
      '${identity.id}': {}
    }
  }
  properties: {
    managedEnvironmentId: environment.id
    workloadProfileName: 'Consumption'
    configuration: {
      // Sticky sessions need a single revision.
      activeRevisionsMode: 'Single'
      ingress: {
        external: true
        targetPort: 8501
        transport: 'http'
        allowInsecure: false
        stickySessions: {
          affinity: 'sticky'
        }
      }
      registries: [
        {
          server: split(image, '/')[0]
          identity: identity.id
        }
      ]
      secrets: [
        {
          name: 'keys'
          value: keys
        }
        {
          name: 'cookie-secret'
          value: cookieSecret
        }
      ]
    }
    template: {
      terminationGracePeriodSeconds: 60
      containers: [
        {
          name: 'console'
          image: image
          resources: {
            cpu: json('1.0')
            memory: '2Gi'
          }
          env: [
            {
              name: 'ACR_CONSOLE_CONNECTION'
              value: 'azure'
            }
            {
              name: 'ACR_CONSOLE_SIGN_IN'
              value: signIn
            }
            {
              name: 'ACR_CONSOLE_PUBLIC_URL'
              value: 'https://${host}'
            }
            {
              name: 'STREAMLIT_SERVER_ALLOWED_HOSTS'
              value: host
            }
            {
              name: 'ACR_CONSOLE_TENANT_ID'
              value: tenantId
            }
            {
              name: 'ACR_CONSOLE_CLIENT_ID'
              value: clientId
            }
            {
              name: 'ACR_CONSOLE_DATABASE'
              value: 'postgresql+psycopg://${identity.name}@${server.properties.fullyQualifiedDomainName}/console?sslmode=require'
            }
            {
              name: 'ACR_CONSOLE_LOG'
              value: 'json'
            }
            {
              // Of the identity: it signs in to the database, and proves to Entra that the console is the application.
              name: 'AZURE_CLIENT_ID'
              value: identity.properties.clientId
            }
            {
              name: 'ACR_CONSOLE_KEYS'
              secretRef: 'keys'
            }
            {
              name: 'STREAMLIT_SERVER_COOKIE_SECRET'
              secretRef: 'cookie-secret'
            }
          ]
          volumeMounts: [
            {
              volumeName: 'data'
              mountPath: '/data'
            }
          ]
          probes: [
            {
              type: 'Startup'
              httpGet: aliveProbe
              periodSeconds: 10
              failureThreshold: 10
            }
            {
              type: 'Readiness'
              httpGet: readyProbe
              periodSeconds: 5
              timeoutSeconds: 3
            }
            {
              type: 'Liveness'
              httpGet: aliveProbe
              periodSeconds: 20
              timeoutSeconds: 5
            }
          ]
        }
      ]
      volumes: [
        {
          name: 'data'
          storageType: 'EmptyDir'
        }
      ]
      scale: {
        // A replica that is taken away ends the tabs on it.
        minReplicas: replicas
        maxReplicas: replicas
      }
    }
  }
}

output url string = 'https://${host}'
output redirectUri string = 'https://${host}/auth/callback'
@description('The subject of the federated credential, and who needs AcrPull on the registry of the image.')
output identityPrincipalId string = identity.properties.principalId

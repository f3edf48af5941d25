// The application in Entra that people sign in to the console with. Deployed by someone who may register applications.
extension microsoftGraphV1

targetScope = 'resourceGroup'

@description('https://HOST, as browsers open the console.')
param publicUrl string
@description('Who is trusted as the application: of AKS the cluster\'s issuer, of a managed identity https://login.microsoftonline.com/TENANT/v2.0')
param issuer string
@description('Of AKS system:serviceaccount:NAMESPACE:RELEASE, of a managed identity its principal id.')
param subject string
param name string = 'acr-console'

resource application 'Microsoft.Graph/applications@v1.0' = {
  uniqueName: name
  displayName: 'ACR Console'
  signInAudience: 'AzureADMyOrg'
  // What each may do where Azure is asked as the console's own identity, and who sees everyone's activity.
  appRoles: loadJsonContent('app-roles.json')
  web: {
    redirectUris: ['${publicUrl}/auth/callback', '${publicUrl}/auth/ended']
    implicitGrantSettings: {
      enableAccessTokenIssuance: false
      enableIdTokenIssuance: false
    }
  }
  requiredResourceAccess: [
    {
      // Azure Service Management: user_impersonation
      resourceAppId: '797f4846-ba00-4fd7-ba43-dac1f8f63013'
      resourceAccess: [
        {
          id: '41094075-9dad-400e-a0bd-54e686782033'
          type: 'Scope'
        }
      ]
    }
    {
      // Microsoft Graph: User.Read
      resourceAppId: '00000003-0000-0000-c000-000000000000'
      resourceAccess: [
        {
          id: 'e1fe6dd8-ba31-4d61-89e7-88639da4683d'
          type: 'Scope'
        }
      ]
    }
  ]

  resource credential 'federatedIdentityCredentials@v1.0' = {
    name: '${application.uniqueName}/console'
    issuer: issuer
    subject: subject
    audiences: ['api://AzureADTokenExchange']
  }
}

resource principal 'Microsoft.Graph/servicePrincipals@v1.0' = {
  appId: application.appId
}

output clientId string = application.appId

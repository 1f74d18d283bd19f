/**
 * Every endpoint of a FlashBlade, without /api/ and the version. A star marks those that REST 1 has, too. Sources: the vendor's OpenAPI
 * specifications of REST 2.0 to 2.28 (github.com/PureStorage-OpenConnect/swagger, html/specs/FB2.*.spec.yaml) and the documentation of
 * its Python SDK for REST 1.12 (github.com/purestorage/purity_fb_python_client, docs/*Api.md).
 */
const ENDPOINTS = `
  active-directory* active-directory/test* admins* admins/api-tokens admins/cache* admins/management-access-policies
  admins/management-authentication-policies admins/settings admins/ssh-certificate-authority-policies alert-watchers*
  alert-watchers/test* alerts* api-clients* api_version array-connections* array-connections/connection-key*
  array-connections/path* array-connections/performance/replication* arrays* arrays/clients/performance*
  arrays/clients/s3-specific-performance arrays/erasures arrays/eula* arrays/factory-reset-token
  arrays/http-specific-performance* arrays/management-authentication-policies arrays/nfs-specific-performance*
  arrays/performance* arrays/performance/replication* arrays/s3-specific-performance* arrays/space*
  arrays/space/storage-classes arrays/ssh-certificate-authority-policies arrays/supported-time-zones*
  audit-file-systems-policies audit-file-systems-policies/members audit-file-systems-policy-operations
  audit-object-store-policies audit-object-store-policies/members audits* blades* bucket-audit-filter-actions
  bucket-replica-links* buckets* buckets/audit-filters buckets/bucket-access-policies buckets/bucket-access-policies/rules
  buckets/cross-origin-resource-sharing-policies buckets/cross-origin-resource-sharing-policies/rules buckets/performance*
  buckets/s3-specific-performance* certificate-groups* certificate-groups/certificates* certificate-groups/uses* certificates*
  certificates/certificate-groups* certificates/certificate-signing-requests certificates/uses* data-eviction-policies
  data-eviction-policies/file-systems data-eviction-policies/members directory-services*
  directory-services/local/directory-services directory-services/local/groups directory-services/local/groups/members
  directory-services/local/users directory-services/local/users/members directory-services/roles*
  directory-services/roles/management-access-policies directory-services/test* dns* drives file-system-exports
  file-system-group-quotas file-system-junctions file-system-replica-links* file-system-replica-links/policies*
  file-system-replica-links/transfer* file-system-snapshots* file-system-snapshots/policies* file-system-snapshots/transfer*
  file-system-user-quotas file-systems* file-systems/audit-policies file-systems/data-eviction-policies file-systems/groups
  file-systems/groups/performance* file-systems/locks file-systems/locks/clients file-systems/locks/nlm-reclamations
  file-systems/open-files file-systems/performance* file-systems/policies* file-systems/policies-all file-systems/sessions
  file-systems/space/storage-classes file-systems/user-group-quota-policies file-systems/users file-systems/users/performance*
  file-systems/worm-data-policies fleets fleets/fleet-key fleets/members fleets/members/batch hardware* hardware-connectors*
  hardware-connectors/performance keytabs* keytabs/download* keytabs/upload* kmip kmip/test legal-holds
  legal-holds/held-entities lifecycle-rules* link-aggregation-groups* log-targets/file-systems log-targets/object-store login
  login-banner logout logs* logs-async logs-async/download maintenance-windows management-access-policies
  management-access-policies/admins management-access-policies/directory-services/roles management-access-policies/members
  management-access-policies/roles management-access-policies/roles/permissions
  management-access-policies/roles/permissions/supported-resources management-access-policies/rules
  management-authentication-policies management-authentication-policies/members network-access-policies
  network-access-policies/members network-access-policies/rules network-interfaces* network-interfaces/connectors
  network-interfaces/connectors/performance network-interfaces/connectors/settings network-interfaces/neighbors
  network-interfaces/network-connection-statistics network-interfaces/ping network-interfaces/tls-policies
  network-interfaces/trace nfs-export-policies nfs-export-policies/rules node-groups node-groups/nodes node-groups/uses nodes
  nodes/batch oauth2/1.0/token object-store-access-keys* object-store-access-policies*
  object-store-access-policies/object-store-roles object-store-access-policies/object-store-users*
  object-store-access-policies/rules object-store-access-policy-actions object-store-account-exports object-store-accounts*
  object-store-remote-credentials* object-store-roles object-store-roles/object-store-access-policies
  object-store-roles/object-store-trust-policies object-store-roles/object-store-trust-policies/download
  object-store-roles/object-store-trust-policies/rules object-store-roles/object-store-trust-policies/upload
  object-store-users* object-store-users/object-store-access-policies* object-store-virtual-hosts* password-policies policies*
  policies-all policies-all/members policies/file-system-replica-links* policies/file-system-snapshots* policies/file-systems*
  policies/members* presets/workload public-keys public-keys/uses qos-policies qos-policies/buckets qos-policies/file-systems
  qos-policies/members quotas/groups* quotas/settings* quotas/users* rapid-data-locking rapid-data-locking/rotate
  rapid-data-locking/test realm-connections realm-connections/connection-key realms realms/defaults realms/space
  realms/space/storage-classes remote-arrays remote-realms resiliency-groups resiliency-groups/members resource-accesses
  resource-accesses/batch roles* s3-export-policies s3-export-policies/rules servers sessions smb-client-policies
  smb-client-policies/rules smb-share-policies smb-share-policies/rules smtp-servers snmp-agents* snmp-agents/mib*
  snmp-managers* snmp-managers/test* software-bundle software-check software-patches ssh-certificate-authority-policies
  ssh-certificate-authority-policies/admins ssh-certificate-authority-policies/arrays
  ssh-certificate-authority-policies/members sso/oidc/idps sso/saml2/idps sso/saml2/idps/test storage-class-tiering-policies
  storage-class-tiering-policies/members storage-classes/members subnets* support* support-diagnostics
  support-diagnostics/details support-diagnostics/settings support/system-manifest support/test* support/verification-keys
  syslog-servers* syslog-servers/settings* syslog-servers/test* targets* targets/performance/replication* tls-policies
  tls-policies/members tls-policies/network-interfaces topology-groups topology-groups/arrays topology-groups/members
  usage/groups* usage/users* user-group-quota-policies user-group-quota-policies/file-systems
  user-group-quota-policies/members user-group-quota-policies/rules workloads workloads/placement-recommendations
  workloads/tags workloads/tags/batch worm-data-policies worm-data-policies/members
`;
const endpoints = ENDPOINTS.trim().split(/\s+/);

export const REST_2 = endpoints.map((endpoint) => endpoint.replace('*', ''));
export const REST_1 = [
  ...endpoints.filter((endpoint) => endpoint.endsWith('*')).map((one) => one.slice(0, -1)),
  'smtp',
];

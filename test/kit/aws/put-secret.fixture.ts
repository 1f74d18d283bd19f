/** A process that stores a value and is killed before it receives the response: `node put-secret.fixture.ts <name> <value>`. */
import { PutSecretValueCommand, SecretsManagerClient } from '@aws-sdk/client-secrets-manager';

const [SecretId, SecretString] = process.argv.slice(2);
await new SecretsManagerClient({}).send(new PutSecretValueCommand({ SecretId, SecretString }));

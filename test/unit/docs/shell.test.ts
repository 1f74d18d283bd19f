/** Runs shell examples from the pages. Programs that would reach AWS are stand-ins, which write down how they were called. */
import { execFile, execFileSync } from 'node:child_process';
import { chmodSync, existsSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { delimiter, join, resolve } from 'node:path';
import { describe, expect, it, onTestFinished } from 'vitest';
import { parse } from 'yaml';
import { parseSecret } from '../../../lib/aws/secret-format.ts';
import { normalFingerprint } from '../../../lib/flashblade/trust.ts';
import { ROOT } from '../../../scripts/build.ts';
import { page } from '../../kit/pages.ts';
import { simulated } from '../flashblade/simulated.ts';
import { theProject } from './check-documents.ts';
import { parseDocument, shellCommands } from './markdown.ts';

const shellIn = (text: string): string[] =>
  parseDocument(text)
    .blocks.filter(({ info }) => info === 'sh')
    .map(({ code }) => code);

/** The only shell example on a page that contains `part`. */
function example(name: string, part: string): string {
  const [found, ...others] = shellIn(page(name)).filter((code) => code.includes(part));
  if (found === undefined || others.length > 0) throw new Error(`docs/${name} must have one example with ${part}`);
  return found;
}

/** Text such as <name> in the commands of a document, in blocks and within sentences. */
const placeholdersIn = (document: string): string[] => {
  const { blocks, quoted } = parseDocument(document);
  const commands = quoted.filter(({ code }) => /^(aws|npm|npx|curl) /.test(code));
  return [...blocks.filter(({ info }) => info === 'sh'), ...commands].flatMap(
    ({ code }) => code.match(/<[a-z][^<>]*>/gi) ?? [],
  );
};

type Ended = {
  readonly code: number;
  readonly stdout: string;
  readonly calls: readonly string[];
  readonly left: string[];
};

/**
 * Runs a script in an empty folder. `standIns`: what each program does after its call is written down, as a shell script.
 * `left`: the names in `files` that exist at the end.
 */
function runShell(
  script: string,
  {
    standIns = {},
    input = '',
    files = [],
  }: { standIns?: Record<string, string>; input?: string; files?: string[] } = {},
): Promise<Ended> {
  const folder = mkdtempSync(join(tmpdir(), 'flashblade-docs-'));
  onTestFinished(() => rmSync(folder, { recursive: true }));
  const calls = join(folder, 'calls');
  writeFileSync(calls, '');
  for (const [name, does] of Object.entries(standIns)) {
    writeFileSync(join(folder, name), `#!/bin/sh\necho "${name} $*" >> '${calls}'\n${does}\n`);
    chmodSync(join(folder, name), 0o755);
  }
  return new Promise((done) => {
    const env = { PATH: `${folder}${delimiter}${process.env['PATH']}`, HOME: folder };
    const child = execFile('bash', ['-c', script], { cwd: folder, env }, (error, stdout) =>
      done({
        code: error === null ? 0 : Number(error.code),
        stdout,
        calls: readFileSync(calls, 'utf8').split('\n').slice(0, -1),
        left: files.filter((name) => existsSync(join(folder, name))),
      }),
    );
    child.stdin?.on('error', () => {}); // the script may have ended
    child.stdin?.end(input);
  });
}

/** Answers for stack outputs and lists of secrets. Everything else succeeds without a word. */
const AWS = `case "$*" in
  *describe-stacks*) echo "$*" | sed "s/.*OutputKey=='\\([A-Za-z]*\\)'.*/arn:the:\\1/" ;;
  *get-queue-url*) echo "https://queue" ;;
  *list-event-source-mappings*) echo the-mapping ;;
  *list-secrets*) printf 'flashblade/fb1\\nflashblade/fb-2\\n' ;;
  *get-function*) echo arn:of:login ;;
esac`;
const SETTINGS = example('operations.md', 'output() {');

describe('deploy.sh', () => {
  const SCRIPT = example('deploying.md', '# deploy.sh');

  it('deploys with all parameters, then records the commit', async () => {
    const standIns = { npm: '', aws: AWS, git: 'echo 0123abcd' };
    const { code, calls } = await runShell(SCRIPT, { standIns });
    expect(code).toBe(0);
    expect(calls.map((call) => call.split(' ', 3).join(' '))).toEqual([
      'npm ci',
      'npm run deploy',
      'git describe --always',
      'aws lambda get-function',
      'aws lambda tag-resource',
    ]);
    expect(calls.at(-1)).toBe('aws lambda tag-resource --resource arn:of:login --tags commit=0123abcd');
  });

  it('records nothing if the deployment fails', async () => {
    const { code, calls } = await runShell(SCRIPT, {
      standIns: { npm: '[ "$2" != deploy ] || exit 3', aws: AWS, git: '' },
    });
    expect([code, calls.at(-1)]).toEqual([3, expect.stringContaining('npm run deploy')]);
  });

  it('fails if the commit cannot be read', async () => {
    const { code, calls } = await runShell(SCRIPT, { standIns: { npm: '', npx: '', aws: AWS, git: 'exit 3' } });
    expect([code, calls.at(-1)]).toEqual([3, expect.stringContaining('git describe')]);
  });

  it('describes the checkout by its full commit', () => {
    const [words = []] = shellCommands(/\$\((git [^)]*)\)/.exec(SCRIPT)?.[1] ?? '').map((command) => command.words);
    const git = (args: readonly string[]) => execFileSync('git', args, { cwd: ROOT, encoding: 'utf8' }).trim();
    expect(git(words.slice(1)).replace(/-dirty$/, '')).toBe(git(['rev-parse', 'HEAD']));
  });
});

it('the steps for removing a stack stop, close and delete everything in order', async () => {
  const text = page('deploying.md');
  const steps = shellIn(text.slice(text.indexOf('\n## Remove'), text.indexOf('If you deploy the stack again later')));
  const { code, calls } = await runShell([SETTINGS, ...steps].join('\n'), { standIns: { npm: '', npx: '', aws: AWS } });
  expect(code).toBe(0);
  expect(calls.filter((call) => !call.includes('describe-stacks'))).toEqual([
    'npm run leases -- list',
    'npx osls info --stage prod --verbose',
    'aws secretsmanager list-secrets --filters Key=name,Values=flashblade/ --query SecretList[].[Name] --output text',
    'aws lambda list-event-source-mappings --function-name flashblade-sessions-prod-session-events --query EventSourceMappings[].UUID --output text',
    'aws lambda update-event-source-mapping --uuid the-mapping --no-enabled',
    ...['login', 'call-array', 'renew', 'check-fleet'].map(
      (name) =>
        `aws lambda put-function-concurrency --function-name flashblade-sessions-prod-${name} --reserved-concurrent-executions 0`,
    ),
    'npm run leases -- close --array fb1',
    'npm run leases -- close --array fb-2',
    'npm run leases -- list',
    'aws cloudformation update-termination-protection --stack-name flashblade-sessions-prod --no-enable-termination-protection',
    'npx osls remove --stage prod',
    'aws secretsmanager delete-secret --secret-id flashblade/fb1',
    'aws secretsmanager delete-secret --secret-id flashblade/fb-2',
    'aws dynamodb update-table --table-name arn:the:LeaseTableName --no-deletion-protection-enabled',
    'aws dynamodb delete-table --table-name arn:the:LeaseTableName',
    'aws kms schedule-key-deletion --key-id arn:the:LeaseKeyArn',
    'aws kms schedule-key-deletion --key-id arn:the:SecretsKeyArn',
  ]);
});

it('the commands for a VPC create the endpoints with a security group that lets the VPC in', async () => {
  const aws = 'case "$*" in *create-security-group*) echo sg-7 ;; esac';
  const { code, calls } = await runShell(example('deploying.md', 'create-vpc-endpoint'), { standIns: { aws } });
  expect(code).toBe(0);
  expect(calls).toContain(
    'aws ec2 authorize-security-group-ingress --group-id sg-7 --protocol tcp --port 443 --cidr 10.0.0.0/16',
  );
  const endpoints = calls.filter((call) => call.includes('create-vpc-endpoint'));
  expect(endpoints.map((call) => [/eu-central-1\.(\w+)/.exec(call)?.[1], call.endsWith('group-ids sg-7')])).toEqual([
    ...['secretsmanager', 'kms', 'events', 'sqs'].map((service) => [service, true]),
    ['dynamodb', false],
  ]);
});

it('the commands that deploy into a VPC pass the id of the prefix list', async () => {
  const aws = 'case "$*" in *describe-managed-prefix-lists*) echo pl-7 ;; esac';
  const { calls } = await runShell(example('deploying.md', 'vpcEgress='), { standIns: { npm: '', npx: '', aws } });
  expect(calls.at(-1)).toMatch(/--param=vpcEgress=\S+,pl-7$/);
});

it('the command for the request queue counts waiting messages and those in process', async () => {
  const script = example('getting-started.md', 'get-queue-attributes');
  const { calls } = await runShell(script, { standIns: { aws: AWS } });
  expect(calls.at(-1)).toBe(
    'aws sqs get-queue-attributes --queue-url https://queue --attribute-names ApproximateNumberOfMessages ApproximateNumberOfMessagesNotVisible',
  );
  expect(calls.at(-2)).toContain('--queue-name RequestQueueArn ');
});

it('the loop that writes the secrets of several arrays passes only the first line of each entry', async () => {
  const standIns = { pass: 'printf "T-of-$2\\nnotes\\n"', npm: 'cat' };
  const { stdout, calls } = await runShell(example('secrets-and-trust.md', 'pass show'), { standIns });
  expect(stdout).toBe('T-of-fb1\nT-of-fb2\n');
  expect(calls).toContain('npm run secret -- fb2 --host fb2.example.com --ca ca.pem --yes');
});

describe('the runbook', () => {
  const standIns = { npm: '', aws: AWS };

  it('has only commands that can be pasted: a shell reads <name> as a redirection', () => {
    expect(placeholdersIn(page('operations.md'))).toEqual([]);
    for (const command of ['aws lambda invoke --function-name <stack>-login', 'npm run leases -- close <stack>']) {
      expect(placeholdersIn(`# A\n\n\`\`\`sh\n${command}\n\`\`\`\n`)).toEqual(['<stack>']);
      expect(placeholdersIn(`# A\n\nRun \`${command}\`.\n`)).toEqual(['<stack>']);
    }
  });

  it('finds a queue by the last part of its ARN', async () => {
    const queues = example('operations.md', 'queue() {');
    const { code, calls } = await runShell(`${SETTINGS}\n${queues}\n${example('operations.md', 'purge-queue')}`, {
      standIns,
    });
    expect(code).toBe(0);
    expect(calls.filter((call) => call.startsWith('aws sqs'))).toEqual([
      'aws sqs get-queue-url --queue-name FailedInvocationQueueArn --query QueueUrl --output text',
      'aws sqs get-queue-attributes --queue-url https://queue --attribute-names ApproximateNumberOfMessages',
      'aws sqs get-queue-url --queue-name FailedEventQueueArn --query QueueUrl --output text',
      'aws sqs receive-message --queue-url https://queue --max-number-of-messages 10 --visibility-timeout 5 --message-attribute-names All',
      'aws sqs get-queue-url --queue-name FailedEventQueueArn --query QueueUrl --output text',
      'aws sqs purge-queue --queue-url https://queue',
    ]);
  });

  it('invokes logout once for each lease that is no SUSPECT, whatever the lease ids contain', async () => {
    const leases = ['nightly-7', `a"b\\c'd$e`].map((leaseId) => ({ leaseId, state: 'OPEN' }));
    const listed = JSON.stringify([...leases, { leaseId: 'lost', state: 'SUSPECT' }]);
    const npm = `cat <<'END'\n${listed}\nEND`;
    const script = `STACK=stack\n${example('operations.md', 'state !== "SUSPECT"')}`;
    const aws = `printf '%s\\n' "$*" | sed 's/.*--payload //; s/ .dev.stdout$//'`;
    const { stdout, calls } = await runShell(script, { standIns: { npm, aws } });
    expect(
      stdout
        .trim()
        .split('\n')
        .map((payload) => JSON.parse(payload)),
    ).toEqual(leases.map(({ leaseId }) => ({ leaseId })));
    expect(calls.filter((call) => call.startsWith('aws lambda invoke --function-name stack-logout '))).toHaveLength(2);
  });
});

describe('with a simulated array', () => {
  it('the commands that read the idle timeout open a session, read the timeout, log out and leave no token', async () => {
    const { simulator } = await simulated();
    const [typed, rest] = [
      example('preparing-an-array.md', 'cat > api-token'),
      example('preparing-an-array.md', '/api/login'),
    ];
    const script = `set -e\n${typed}\ncat > ca.pem <<'END'\n${simulator.certificate}\nEND\n${rest}`;
    const addressed = script.replaceAll('fb1.example.com', `127.0.0.1:${simulator.port}`);
    const files = ['api-token', 'auth-token', 'ca.pem'];
    const { code, stdout, left } = await runShell(addressed, { input: `api-token: ${simulator.apiToken}\n`, files });
    expect([code, left]).toEqual([0, ['ca.pem']]);
    expect(stdout).toContain('"idle_timeout":');
    expect(simulator.history.map(({ ended }) => ended?.by)).toEqual(['logout']);
  });

  it('the commands that an administrator sends are sent in the session, with the body as JSON', async () => {
    const standIns = { curl: '' };
    const token = await runShell(example('preparing-an-array.md', '/admins/api-tokens'), { standIns });
    expect(token.calls).toEqual([
      'curl --cacert ca.pem -fsS -H @auth-token -X POST https://fb1.example.com/api/2.4/admins/api-tokens?admin_names=automation&timeout=7776000000',
    ]);
    const timeout = await runShell(example('preparing-an-array.md', '-X PATCH'), { standIns });
    expect(timeout.calls).toEqual([
      'curl --cacert ca.pem -fsS -H @auth-token -X PATCH https://fb1.example.com/api/2.4/arrays -H Content-Type: application/json -d { "idle_timeout": 1800000 }',
    ]);
  });

  it('the command that writes a secret with a private CA passes valid JSON to the AWS CLI', async () => {
    const { simulator } = await simulated();
    const script = `cat > ca.pem <<'END'\n${simulator.certificate}\nEND\n${example('secrets-and-trust.md', 'jq -R')}`;
    const { stdout } = await runShell(script, { standIns: { aws: 'cat' }, input: `${simulator.apiToken}\n` });
    const { apiToken, array } = parseSecret('fb1', 'flashblade/fb1', { SecretString: stdout });
    expect([apiToken.reveal(), array.host, array.trust.kind]).toEqual([simulator.apiToken, 'fb1.example.com', 'ca']);
  });

  it('the command for a certificate file prints the fingerprint that a secret accepts', async () => {
    const { simulator } = await simulated({ certificate: 'self-signed' });
    const script = `cat > fb1.pem\n${example('secrets-and-trust.md', 'openssl x509')}`;
    const { stdout } = await runShell(script, { input: simulator.certificate });
    expect(normalFingerprint(stdout.trim().replace(/^.*=/, ''))).toBe(simulator.fingerprint);
  });
});

type Yaml = { functions: Record<string, { timeout?: number }>; provider: { timeout: number } };
const { functions, provider }: Yaml = parse(readFileSync(resolve(ROOT, 'serverless.yml'), 'utf8'));
const { Outputs: outputs }: { Outputs: object } = parse(readFileSync(resolve(ROOT, 'infra/outputs.yml'), 'utf8'));

/** After this many seconds without a response, the AWS CLI repeats the call. */
const CLI_SECONDS = 60;

/** Functions and outputs that do not exist, calls that the AWS CLI would repeat, and tokens on a command line. */
function awsFaults(document: string): string[] {
  const { blocks, quoted } = parseDocument(document);
  const codes = [...blocks.filter(({ info }) => info === 'sh'), ...quoted].map(({ code }) => code);
  const text = codes.join('\n');
  const named = Array.from(
    text.matchAll(/(?:flashblade-sessions-prod|\$STACK|<stack>)-([a-z-]+)/g),
    ([, name = '']) => name,
  );
  const read = Array.from(text.matchAll(/\b(?:output|queue) ([A-Z]\w+)/g), ([, name = '']) => name);
  const words = codes.flatMap(shellCommands).map((command) => command.words);
  const invoked = words.filter(
    ([program, service, action]) => `${program} ${service} ${action}` === 'aws lambda invoke',
  );
  return [
    ...named
      .filter((name) => !OTHER_RESOURCES.includes(name) && !Object.hasOwn(functions, name))
      .map((name) => `no function ${name}`),
    ...read.filter((name) => !Object.hasOwn(outputs, name)).map((name) => `no output ${name}`),
    ...invoked.filter((all) => !waitsLongEnough(all)).map((all) => `the AWS CLI repeats ${all.join(' ')}`),
    ...words.filter((all) => all.some(isToken)).map(([program]) => `${program} has a token as an argument`),
  ];
}

/** A header with a token, or an assignment of an API token. */
const isToken = (word: string): boolean => /^(?:[\w-]+-token|authorization): |^\w*TOKEN=T-/i.test(word);

/** A check of named arrays takes at most a minute. */
function waitsLongEnough(words: readonly string[]): boolean {
  const name = (words[words.indexOf('--function-name') + 1] ?? '').replace(/^.*?(?:prod|\$STACK|<stack>)-/, '');
  const waits = words.includes('--cli-read-timeout')
    ? Number(words[words.indexOf('--cli-read-timeout') + 1])
    : CLI_SECONDS;
  const isShort = words.some((word) => word.includes('"arrays": ["fb1"]'));
  return isShort || waits > (functions[name]?.timeout ?? provider.timeout);
}

/** Resources of the stack whose names begin like those of its functions. */
const OTHER_RESOURCES = ['secrets', 'alarms', 'fleet-check'];

describe('commands for AWS', () => {
  it('name functions and outputs that exist, wait for results, and have no token as an argument, in every document', () => {
    const { documents } = theProject();
    expect(
      Object.entries(documents).flatMap(([file, text]) => awsFaults(text).map((fault) => `${file}: ${fault}`)),
    ).toEqual([]);
  });

  it.each([
    ['aws lambda invoke --function-name flashblade-sessions-prod-log-in /dev/stdout', 'no function log-in'],
    ['aws logs tail "/aws/lambda/$STACK-sweep"', 'no function sweep'],
    ['echo "$(output LeaseTable)"', 'no output LeaseTable'],
    [
      "aws lambda invoke --function-name flashblade-sessions-prod-check-fleet --payload '{}' out",
      /^the AWS CLI repeats aws lambda invoke/,
    ],
    ["curl -X POST https://fb1 -H 'api-token: T-1'", 'curl has a token as an argument'],
    ['curl https://fb1 -H "x-auth-token: $AUTH"', 'curl has a token as an argument'],
    ['export HOST=fb1 API_TOKEN=T-…', 'export has a token as an argument'],
  ])('are refused: %s', (command, fault) => {
    expect(awsFaults(`# A\n\n\`\`\`sh\n${command}\n\`\`\`\n`)).toEqual([
      typeof fault === 'string' ? fault : expect.stringMatching(fault),
    ]);
  });
});

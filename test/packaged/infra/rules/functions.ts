/** The functions, their logs and their variables. */
import { FUNCTIONS, type FunctionName, logicalIdOf } from '../../../kit/packaged.ts';
import { arn, at, GONE, idsOf } from '../template.ts';
import { roleOf } from './permissions.ts';
import { must, only, type Rule, rule } from './rule.ts';

type Settings = {
  readonly seconds: number;
  readonly reserved?: number;
  readonly own?: Readonly<Record<string, string>>;
};
/** Two sweeps may overlap, because each starts within a window, but never three. */
const SETTINGS: Readonly<Record<FunctionName, Settings>> = {
  login: { seconds: 30 },
  logout: { seconds: 30 },
  'call-array': { seconds: 30, own: { ALLOWED_CALLS: 'GET /api/**' } },
  renew: { seconds: 30 },
  'session-events': { seconds: 60, own: { EVENT_BUS: 'EventBus', DEAD_LETTER_QUEUE: 'DeadLetterQueue' } },
  'sweep-sessions': { seconds: 55, reserved: 2 },
  'check-fleet': { seconds: 300, reserved: 1 },
};
const OWN = ['ALLOWED_CALLS', 'EVENT_BUS', 'DEAD_LETTER_QUEUE'];

const FUNCTION = 'AWS::Lambda::Function/Properties';
const VARIABLES = 'LoginLambdaFunction/Properties/Environment/Variables';
/** Names of variables that suggest a secret. Anyone who may describe a function can read its variables. */
const SECRET_NAME = /TOKEN|PASSWORD|CREDENTIAL|ACCESS_KEY|SECRET(?!_PREFIX$)/i;
const SECRET_VALUE = /T-[0-9a-f]{8}-|[0-9a-f]{8}-[0-9a-f]{4}-[0-9a-f]{4}-|-----BEGIN/i;
export const ACCOUNT_OR_REGION = /\b\d{12}\b|\b[a-z]{2}(-gov)?-(north|south|east|west|central)[a-z]*-\d\b/;

function rulesOf(name: FunctionName): Rule[] {
  const of = `${logicalIdOf(name)}/Properties`;
  const { seconds, reserved, own = {} } = SETTINGS[name];
  const another = name === 'login' ? 'logout' : 'login';
  return [
    must(
      `${of}/Handler`,
      `dist/functions/${name}.handler`,
      'dist/functions/logn.handler',
      `dist/functions/${another}.handler`,
    ),
    must(`${of}/Role`, `${roleOf(name)}.Arn`, arn(roleOf(another)), 'arn:aws:iam::1:role/admin'),
    // Lambda refuses more than 900, but only at deployment.
    must(`${of}/Timeout`, seconds, 901, GONE),
    must(`${of}/ReservedConcurrentExecutions`, reserved, reserved === 1 ? GONE : 1),
    ...OWN.map((variable) => must(`${of}/Environment/Variables/${variable}`, own[variable], 'another')),
  ];
}

export const FUNCTION_RULES: Rule[] = [
  only('AWS::Lambda::Function', ...FUNCTIONS.map(logicalIdOf)),
  must(`${FUNCTION}/Runtime`, 'nodejs24.x', 'nodejs20.x'),
  must(`${FUNCTION}/Architectures`, ['arm64'], ['x86_64']),
  must(`${FUNCTION}/MemorySize`, /^(512|1024)$/, 128),
  must(`${FUNCTION}/LoggingConfig/LogFormat`, 'JSON', GONE),
  ...FUNCTIONS.flatMap(rulesOf),
  must('AWS::Logs::LogGroup/Properties/RetentionInDays', /^\d+$/, GONE),
  rule(
    'every function has a log group',
    (template) => {
      const groups = idsOf(template, 'AWS::Logs::LogGroup').map((id) =>
        at(template.Resources, `${id}/Properties/LogGroupName`),
      );
      return idsOf(template, 'AWS::Lambda::Function').flatMap((id) =>
        groups.includes(`/aws/lambda/${at(template.Resources, `${id}/Properties/FunctionName`)}`)
          ? []
          : [`${id}: has no log group`],
      );
    },
    ['no log group', 'LoginLogGroup', GONE],
  ),
  rule(
    'no variable looks like a secret',
    (template) =>
      idsOf(template, 'AWS::Lambda::Function').flatMap((id) =>
        Object.entries(Object(at(template.Resources, `${id}/Properties/Environment/Variables`)))
          .filter(([name, value]) => SECRET_NAME.test(name) || SECRET_VALUE.test(JSON.stringify(value)))
          .map(([name]) => `${id}: the variable ${name} looks like a secret`),
      ),
    ['a variable named like a token', `${VARIABLES}/API_TOKEN`, 'x', 'API_TOKEN'],
    ['a variable with a value like a token', `${VARIABLES}/X`, 'T-0b1c2d3e-4f', 'variable X'],
  ),
  rule(
    'the template names no account and no region, so that it works in all of them',
    ({ Resources }) =>
      Object.keys(Resources)
        .filter((id) => ACCOUNT_OR_REGION.test(JSON.stringify(Resources[id])))
        .map((id) => `${id}: names an account or a region`),
    ['an account', `${VARIABLES}/X`, 'arn:aws:s3:x:123456789012:y'],
    ['a region', `${VARIABLES}/X`, 'eu-west-1'],
  ),
];

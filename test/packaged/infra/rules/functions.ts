/** The functions, their logs and their variables. */
import { FUNCTIONS, type FunctionName, logicalIdOf } from '../../../kit/packaged.ts';
import { at, GONE, idsOf } from '../template.ts';
import { roleOf } from './permissions.ts';
import { must, mustAll, only, type Rule, rule } from './rule.ts';

type Settings = {
  readonly Timeout: number;
  readonly own?: Readonly<Record<string, string>>;
};
const SETTINGS: Readonly<Record<FunctionName, Settings>> = {
  login: { Timeout: 30 },
  logout: { Timeout: 30 },
  'call-array': { Timeout: 30, own: { ALLOWED_CALLS: 'GET /api/**' } },
  renew: { Timeout: 30 },
  'session-events': { Timeout: 60, own: { EVENT_BUS: 'EventBus', DEAD_LETTER_QUEUE: 'DeadLetterQueue' } },
  'sweep-sessions': { Timeout: 55 },
  'check-fleet': { Timeout: 300 },
};

const FUNCTION = 'AWS::Lambda::Function/Properties';
const VARIABLES = 'LoginLambdaFunction/Properties/Environment/Variables';
/** Names of variables that suggest a secret. Anyone who may describe a function can read its variables. */
const SECRET_NAME = /TOKEN|PASSWORD|CREDENTIAL|ACCESS_KEY|SECRET(?!_PREFIX$)/i;
const SECRET_VALUE = /T-[0-9a-f]{8}-|[0-9a-f]{8}-[0-9a-f]{4}-[0-9a-f]{4}-|-----BEGIN/i;
export const ACCOUNT_OR_REGION = /\b\d{12}\b|\b[a-z]{2}(-gov)?-(north|south|east|west|central)[a-z]*-\d\b/;

const rulesOf = (name: FunctionName): Rule[] => {
  const { Timeout, own = {} } = SETTINGS[name];
  return mustAll(`${logicalIdOf(name)}/Properties`, {
    Handler: `dist/functions/${name}.handler`,
    Role: `${roleOf(name)}.Arn`,
    Timeout,
    'Environment/Variables/ALLOWED_CALLS': own['ALLOWED_CALLS'],
    'Environment/Variables/EVENT_BUS': own['EVENT_BUS'],
    'Environment/Variables/DEAD_LETTER_QUEUE': own['DEAD_LETTER_QUEUE'],
  });
};

export const FUNCTION_RULES: Rule[] = [
  only('AWS::Lambda::Function', ...FUNCTIONS.map(logicalIdOf)),
  ...mustAll(FUNCTION, { Runtime: 'nodejs24.x', Architectures: ['arm64'], 'LoggingConfig/LogFormat': 'JSON' }),
  must(`${FUNCTION}/MemorySize`, /^(512|1024)$/, 128),
  ...FUNCTIONS.flatMap(rulesOf),
  must('AWS::Logs::LogGroup/Properties/RetentionInDays', /^\d+$/, GONE),
  rule(
    'every function has a log group',
    (template) => {
      const nameOf = (id: string, field: string) => at(template.Resources, `${id}/Properties/${field}`);
      const groups = idsOf(template, 'AWS::Logs::LogGroup').map((id) => nameOf(id, 'LogGroupName'));
      return idsOf(template, 'AWS::Lambda::Function').map(
        (id) => !groups.includes(`/aws/lambda/${nameOf(id, 'FunctionName')}`) && `${id}: has no log group`,
      );
    },
    ['no log group', 'LoginLogGroup', GONE],
  ),
  rule(
    'no variable looks like a secret',
    (template) =>
      idsOf(template, 'AWS::Lambda::Function').map((id) =>
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
      Object.keys(Resources).map(
        (id) => ACCOUNT_OR_REGION.test(JSON.stringify(Resources[id])) && `${id}: names an account or a region`,
      ),
    ['an account', `${VARIABLES}/X`, 'arn:aws:s3:x:123456789012:y'],
    ['a region', `${VARIABLES}/X`, 'eu-west-1'],
  ),
];

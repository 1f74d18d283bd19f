/**
 * An osls plugin that checks the stage and every parameter before osls packages or deploys anything. CloudFormation would report most of
 * these mistakes only after several minutes, and some not at all. A test compares the ranges with those of lib/core/config.ts and with
 * docs/deploying.md.
 */
const { isIP } = require('node:net');

const OR = new Intl.ListFormat('en', { type: 'disjunction' });

const text = (pattern, rule) => ({ rule, fits: (value) => pattern.test(value) });
const optional = ({ rule, fits }) => ({ rule, fits: (value) => value === '' || fits(value) });
const whole = (min, max) => ({
  rule: `must be a whole number from ${min} to ${max}`,
  fits: (value) => /^\d{1,9}$/.test(value) && Number(value) >= min && Number(value) <= max,
});
const oneOf = (...values) => ({ rule: `must be ${OR.format(values)}`, fits: (value) => values.includes(value) });
const yesOrNo = oneOf('true', 'false');
// The template's conditions compare the text with '', so a list without items must be empty.
const listOf = ({ rule, fits }) => ({
  rule,
  fits: (value) => value === '' || (itemsOf(value).length > 0 && itemsOf(value).every(fits)),
});

/** The items of a comma-separated list. */
const itemsOf = (value) =>
  value
    .split(',')
    .map((item) => item.trim())
    .filter((item) => item !== '');

const RATE = /^rate\((1 (minute|hour|day)|([2-9]|[1-9]\d+) (minutes|hours|days))\)$/;
/** Six fields, of which either the day of the month or the day of the week is a question mark. */
const CRON = /^cron\(\S+ \S+ (\? \S+ (?!\?)\S+|(?!\?)\S+ \S+ \?) \S+\)$/;
const EXPRESSION = 'rate(15 minutes), rate(1 hour) or cron(0 6 * * ? *)';
/** As in lib/leases/call-array.ts; a test compares the two. */
const CALL = '(GET|POST|PUT|PATCH|DELETE) /api/[A-Za-z0-9._*/-]+';
/** The values that CloudWatch Logs supports. */
const LOG_DAYS = [
  1, 3, 5, 7, 14, 30, 60, 90, 120, 150, 180, 365, 400, 545, 731, 1096, 1827, 2192, 2557, 2922, 3288, 3653,
];

// biome-ignore format: a table
const RULES = {
  secretPrefix: text(/^[\w/+=.@-]{1,256}$/, 'must consist of letters, digits and /_+=.@-'),
  sessionsPerArray: whole(1, 500),
  maxLeaseSeconds: whole(60, 604_800),
  arrayIdleSeconds: whole(300, 86_400),
  dueShards: whole(1, 16),
  allowedCalls: text(new RegExp(`^\\s*${CALL}(\\s*,\\s*${CALL})*\\s*$`), 'must list methods and paths, such as GET /api/**,PATCH /api/2.*/file-systems'),
  stateMachineArnPrefix: optional(text(/^arn:[\w-]+:states:[\w-]+:\d+:stateMachine:[^:*?\s]*$/, 'must be a prefix of state machine ARNs, such as arn:aws:states:eu-central-1:123456789012:stateMachine:nightly-')),
  maxRequestAgeSeconds: whole(300, 21_600),
  queueConcurrency: whole(2, 1000),
  checkRate: text(new RegExp(`${RATE.source}|${CRON.source}`), `must be an expression for EventBridge Scheduler, such as ${EXPRESSION}`),
  checkConcurrency: whole(1, 100),
  reserveConcurrency: yesOrNo,
  programRoleArns: listOf(text(/^arn:[\w-]+:iam::\d{12}:role\/[\w+=.@/-]+$/, 'must list ARNs of IAM roles, without wildcards')),
  permissionsBoundaryArn: optional(text(/^arn:[\w-]+:iam::(\d{12}|aws):policy\/[\w+=,.@/-]+$/, 'must be the ARN of an IAM policy')),
  vpcSubnetIds: listOf(text(/^subnet-[\da-f]+$/, 'must list subnet ids, such as subnet-0a1b2c3d')),
  vpcSecurityGroupIds: listOf(text(/^sg-[\da-f]+$/, 'must list security group ids, such as sg-0a1b2c3d')),
  vpcEgress: listOf({
    rule: 'must list CIDRs, such as 10.20.0.5/32, and prefix lists, such as pl-02cd2c6b',
    fits: (item) => isCidr(item) || /^pl-[\da-f]+$/.test(item),
  }),
  vpcId: optional(text(/^vpc-[\da-f]+$/, 'must be the id of a VPC, such as vpc-0a1b2c3d')),
  deletionProtection: yesOrNo,
  stackTags: listOf(text(/^(?!aws:)[\w ./+:-]{1,128}=[\w ./+:=@-]{0,256}$/i, 'must list tags as key=value, such as team=storage')),
  deploymentBucket: optional(text(/^[a-z\d][a-z\d.-]{1,61}[a-z\d]$/, 'must be the name of an S3 bucket')),
  tracing: oneOf('Active', 'PassThrough'),
  logRetentionInDays: oneOf(...LOG_DAYS.map(String)),
  alarmEmail: optional(text(/^[^\s@]+@[^\s@]+$/, 'must be an email address')),
  checkAlarmHours: whole(2, 168),
  runbook: text(/^[^\s"\\${}]+$/, 'must be a URL or a path, without spaces or quotation marks'),
};

function isCidr(item) {
  const [address = '', bits = '', ...rest] = item.split('/');
  const most = { 4: 32, 6: 128 }[isIP(address)] ?? -1;
  return rest.length === 0 && /^\d{1,3}$/.test(bits) && Number(bits) <= most;
}

/** Rules for several parameters. Each returns true if they fit together. */
const TOGETHER = [
  [
    'vpcSubnetIds requires vpcSecurityGroupIds, or vpcEgress and vpcId',
    (of) => of('vpcSubnetIds') === '' || of('vpcSecurityGroupIds') !== '' || of('vpcEgress') !== '',
  ],
  [
    'vpcSecurityGroupIds requires vpcSubnetIds, because without subnets no function runs in a VPC',
    (of) => of('vpcSecurityGroupIds') === '' || of('vpcSubnetIds') !== '',
  ],
  [
    'vpcEgress requires vpcSubnetIds and vpcId, the id of the VPC that contains the subnets',
    (of) => of('vpcEgress') === '' || (of('vpcSubnetIds') !== '' && of('vpcId') !== ''),
  ],
  [
    'checkAlarmHours must be at least twice the interval of checkRate',
    (of) => !RATE.test(of('checkRate')) || 60 * Number(of('checkAlarmHours')) >= 2 * minutesOf(of('checkRate')),
  ],
  [
    'stateMachineArnPrefix must name the region of the stack',
    (of, region) => region === undefined || ['', region].includes(of('stateMachineArnPrefix').split(':')[3] ?? ''),
  ],
];

function minutesOf(rate) {
  const [, count, unit] = /(\d+) (minute|hour|day)/.exec(rate);
  return Number(count) * { minute: 1, hour: 60, day: 1440 }[unit];
}

/** Role names, which contain the stage, have at most 64 characters. */
const STAGE_LIMIT = 14;

/**
 * Returns one sentence for each mistake. The sentences never contain a value. `given` contains the names and values from the command
 * line. `region` is absent if it is not known yet. Values in serverless.yml that still contain an osls variable are not checked.
 */
function faultsOf({ stage, region, inStage = {}, defaults, given = [] }) {
  const names = [...Object.keys(inStage), ...given.map(([name]) => name)];
  const values = { ...defaults, ...inStage, ...Object.fromEntries(given) };
  // Blanks around a value would end up in the template.
  const of = (name) => String(values[name] ?? '');
  const isVariable = (name) => !given.some(([other]) => other === name) && of(name).includes('${');
  const twice = given.map(([name]) => name).filter((name, index, all) => all.indexOf(name) < index);
  const single = Object.entries(RULES)
    .filter(([name, { fits }]) => !isVariable(name) && !fits(of(name)))
    .map(([name, { rule }]) => `The parameter ${name} ${rule}.`);
  const isComplete = single.length === 0 && !Object.keys(RULES).some(isVariable);
  return [
    ...(stage.length > STAGE_LIMIT
      ? [`The stage name can have at most ${STAGE_LIMIT} characters, but has ${stage.length}.`]
      : []),
    ...names.filter((name) => !(name in RULES)).map(unknown),
    ...twice.map((name) => `The parameter ${name} is given twice.`),
    ...single,
    ...(isComplete ? TOGETHER.filter(([, fits]) => !fits(of, region)).map(([rule]) => `The parameter ${rule}.`) : []),
  ];
}

function unknown(name) {
  const [likely] = Object.keys(RULES)
    .map((known) => [known, distance(name.toLowerCase(), known.toLowerCase())])
    .filter(([known, edits]) => edits <= Math.ceil(known.length / 3))
    .sort(([, a], [, b]) => a - b);
  const shown = /^[A-Za-z][\w-]{0,40}$/.test(name) ? ` ${name}` : '';
  const next = likely === undefined ? 'docs/deploying.md lists the parameters.' : `Did you mean ${likely[0]}?`;
  return `There is no parameter${shown}. ${next}`;
}

/** Returns the Levenshtein distance: the number of letters to insert, delete or replace. */
function distance(one, other) {
  let row = [...other, ''].map((_, index) => index);
  for (const [i, letter] of [...one].entries()) {
    const next = [i + 1];
    for (const [j, otherLetter] of [...other].entries())
      next.push(Math.min(next[j] + 1, row[j + 1] + 1, row[j] + (letter === otherLetter ? 0 : 1)));
    row = next;
  }
  return row.at(-1);
}

class CheckParameters {
  constructor(serverless) {
    const { commands, isHelpRequest } = serverless.processedInput;
    const isChecked = ['package', 'deploy', 'print'].includes(commands[0]) && commands[1] !== 'list' && !isHelpRequest;
    if (!isChecked) return;
    // Check before osls resolves the parameters, because its own messages for wrong values name neither the parameter nor the rule.
    check(serverless);
    // Check again after osls has resolved the variables.
    this.hooks = { initialize: () => check(serverless) };
  }
}

function check(serverless) {
  const { params = {}, provider } = serverless.configurationInput;
  const { commands, options } = serverless.processedInput;
  const stage = options.stage ?? provider.stage;
  // A package can be deployed to any region.
  const known = commands[0] === 'deploy' ? String(options.region ?? provider.region) : '${';
  const region = known.includes('${') ? undefined : known;
  const given = (options.param ?? []).map((item) => {
    const [name, ...value] = item.split('=');
    return [name, value.join('=')];
  });
  const faults = faultsOf({ stage, region, inStage: params[stage] ?? {}, defaults: params.default ?? {}, given });
  if (faults.length > 0) throw new serverless.classes.Error(faults.join('\n'));
}

module.exports = CheckParameters;
module.exports.RULES = RULES;
module.exports.faultsOf = faultsOf;

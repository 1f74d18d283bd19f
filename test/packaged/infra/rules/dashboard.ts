/** The dashboard: CloudWatch can read it, and it shows only metrics that exist. */
import { FUNCTIONS, logGroupOf, type Template } from '../../../kit/packaged.ts';
import { FIELDS, fieldsIn } from '../runbook.ts';
import { at, differs, GONE, idsOf, list, render, sub } from '../template.ts';
import { ACCOUNT_OR_REGION } from './functions.ts';
import { metricFaults, type Watched } from './metrics.ts';
import { type Faults, must, type Rule, rule } from './rule.ts';

const COLUMNS = 24;
const NAME = 'Dashboard/Properties/DashboardName';
const BODY = 'Dashboard/Properties/DashboardBody/Fn::Sub';

const bodyOf = ({ Resources }: Template): string => render(at(Resources, 'Dashboard/Properties/DashboardBody'));
/** Faults of each widget of this type, or of any. */
const eachWidget =
  (type: RegExp, faults: (widget: unknown, what: string, template: Template) => Faults) => (template: Template) =>
    widgetsOf(template)
      .filter((widget) => type.test(String(at(widget, 'type'))))
      .map((widget) => faults(widget, String(at(widget, 'properties/title') ?? 'a text'), template));
const widgetsOf = (template: Template): readonly unknown[] => list(at(JSON.parse(bodyOf(template)), 'widgets'));

/** Faults of each query for CloudWatch Logs Insights. */
const eachQuery = (faults: (query: string, template: Template) => Faults) =>
  eachWidget(/^log$/, (widget, _, template) => faults(String(at(widget, 'properties/query')), template));

type Box = { readonly x: number; readonly y: number; readonly width: number; readonly height: number };
const overlap = (a: Box, b: Box): boolean =>
  a.x < b.x + b.width && b.x < a.x + a.width && a.y < b.y + b.height && b.y < a.y + a.height;

/** The metrics of a widget. In a line, `...` stands for the leading parts of the previous line. */
function metricsOf(widget: unknown): Watched[] {
  let before: unknown[] = [];
  return list(at(widget, 'properties/metrics')).map((line) => {
    const parts = [...list(line)];
    const options = parts.pop();
    const expression = at(options, 'expression');
    if (expression !== GONE) return queried(String(expression));
    if (parts[0] === '...') parts.splice(0, 1, ...before.slice(0, before.length - parts.length + 1));
    before = parts;
    const [namespace = '', name = '', ...dimensions] = parts.map(String);
    const pairs = dimensions.flatMap((key, index) => (index % 2 === 0 ? [[key, dimensions[index + 1] ?? '']] : []));
    return { namespace, name, dimensions: Object.fromEntries(pairs), statistic: String(at(options, 'stat') ?? '') };
  });
}

/** A Metrics Insights query. `array` is a reserved word, and must have quotes. */
const QUERY =
  /^SELECT (MIN|MAX)\((\w+)\) FROM SCHEMA\("(\w+)", "service", "array"\) WHERE "service" = '([^']+)' GROUP BY "array"( ORDER BY .*)?$/;
const STATISTICS: Readonly<Record<string, string>> = { MIN: 'Minimum', MAX: 'Maximum' };

const queried = (expression: string): Watched => {
  const [, by = '', name = '', namespace = expression, service = ''] = QUERY.exec(expression) ?? [];
  return { namespace, name, dimensions: { service, array: '*' }, statistic: STATISTICS[by] ?? '' };
};

/** A graph shows at most 500 lines, and a reader can follow ten. For a maximum, the worst arrays are the highest ones. */
const WORST = /^SELECT (?:MIN\(.* ORDER BY MIN\(\) ASC|MAX\(.* ORDER BY MAX\(\) DESC) LIMIT 10$/;
const expressionsOf = (widget: unknown): string[] =>
  list(at(widget, 'properties/metrics'))
    .map((line) => at(list(line).at(-1), 'expression'))
    .filter((expression) => expression !== GONE)
    .map(String);

// What the planted changes put in place of the dashboard's body.
const box = { x: 0, y: 0, width: 6, height: 6 };
const body = (...widgets: object[]): string => JSON.stringify({ widgets });
const metric = (properties: object): string =>
  body({ type: 'metric', ...box, properties: { title: 'it', region: sub('<AWS::Region>'), ...properties } });
const line = (...parts: unknown[]): string => metric({ metrics: [parts] });
const ours = (name: string, stat: string): string =>
  line('FlashBladeSessions', name, 'service', 'flashblade-sessions-test', { stat });
const query = (name: string, { by = 'MAX', service = 'flashblade-sessions-test', end = '' } = {}): string =>
  line({
    expression: `SELECT ${by}(${name}) FROM SCHEMA("FlashBladeSessions", "service", "array") WHERE "service" = '${service}' GROUP BY "array"${end}`,
  });
const log = (query: string): string => body({ type: 'log', ...box, properties: { query } });

export const DASHBOARD_RULES: Rule[] = [
  // Dashboards are global.
  must(NAME, '<StackName>-<Region>', { Ref: 'AWS::StackName' }),
  rule(
    'the body of the dashboard is JSON',
    (template) => {
      try {
        return !JSON.parse(bodyOf(template));
      } catch {
        return 'it is not JSON';
      }
    },
    ['an open bracket', BODY, '{ "widgets": ['],
  ),
  rule(
    'the dashboard names no account and no region',
    (template) => ACCOUNT_OR_REGION.exec(bodyOf(template))?.[0],
    ['a region', BODY, metric({ region: 'eu-west-1' })],
    ['an account', BODY, metric({ accountId: '123456789012' })],
  ),
  rule(
    'every widget lies on the grid',
    eachWidget(/./, (widget, what) => {
      const { x, y, width, height } = widget as Box;
      const fits = x >= 0 && y >= 0 && width > 0 && height > 0 && x + width <= COLUMNS;
      return !fits && `${what}: is not on the grid`;
    }),
    ['a widget outside the grid', BODY, body({ type: 'metric', ...box, x: 20 })],
  ),
  rule(
    'no widgets overlap',
    (template) => {
      const boxes = widgetsOf(template) as Box[];
      return boxes.map((one, n) => boxes.slice(n + 1).some((two) => overlap(one, two)) && `widget ${n}`);
    },
    ['two widgets', BODY, body({ type: 'alarm', ...box }, { type: 'alarm', ...box, x: 2, y: 2 })],
  ),
  rule(
    'every widget has a type that these rules know',
    eachWidget(/^(?!(text|alarm|log|metric)$)/, (_, what) => what),
    ['another type', BODY, body({ type: 'explorer', ...box })],
  ),
  rule(
    'every text links to the runbook',
    eachWidget(
      /^text$/,
      (widget) => !/\]\(\S*operations\.md\)/.test(String(at(widget, 'properties/markdown'))) && 'a text without a link',
    ),
    ['a text without a link', BODY, body({ type: 'text', ...box, properties: { markdown: 'hello' } })],
  ),
  rule(
    'the dashboard shows every alarm',
    (template) => {
      const shown = widgetsOf(template).flatMap((widget) => list(at(widget, 'properties/alarms')));
      const all = idsOf(template, 'AWS::CloudWatch::Alarm').map((id) => `<${id}.Arn>`);
      return differs('alarms', shown.sort(), all.sort());
    },
    ['an alarm that is not in the template', 'NoSweepAlarm', GONE],
  ),
  rule(
    "every widget shows the stack's region",
    eachWidget(/^(log|metric)$/, (widget, what) => differs(what, at(widget, 'properties/region'), '<Region>')),
    ['another region', BODY, metric({ region: sub('<AWS::Partition>') })],
  ),
  rule(
    'every log query reads the logs of all functions, and no others',
    eachQuery((query) => {
      const sources = [...query.matchAll(/SOURCE '<(\w+)>'/g)].map(([, id]) => id);
      return differs('sources', sources.sort(), FUNCTIONS.map(logGroupOf).sort());
    }),
    ['one log group', BODY, log(sub("SOURCE '<LoginGroup>' | filter level = 'WARN'"))],
  ),
  rule(
    // For an error that a function returns, Lambda adds its own line, which has no event.
    'no log query counts failures twice',
    eachQuery((query) => !/\| filter ispresent\(message\.event\)/.test(query) && query),
    ['no filter', BODY, log("filter level = 'WARN' | stats count(*)")],
  ),
  rule(
    'log queries use only fields that log lines have',
    eachQuery((query) => fieldsIn(query).filter((field) => !FIELDS.includes(field))),
    ['another field', BODY, log('stats count(*) by errorCode'), 'errorCode'],
  ),
  rule(
    'every widget shows metrics that exist, by a statistic that makes sense for them',
    eachWidget(/^metric$/, (widget, what, template) => {
      const metrics = metricsOf(widget);
      if (metrics.length === 0) return `${what}: shows nothing`;
      return metrics.map((one) => metricFaults(template, what, one));
    }),
    ['an empty widget', BODY, metric({}), 'shows nothing'],
    ['a misspelt metric', BODY, ours('LoginSucceded', 'Sum'), 'nobody emits'],
    ['a sum of a gauge', BODY, ours('StuckLeases', 'Sum'), 'no sense'],
    ['a maximum of events', BODY, ours('LoginFailed', 'Maximum'), 'no sense'],
    ['a sum of durations', BODY, ours('LoginDuration', 'Sum'), 'no sense'],
    ['another namespace', BODY, line('FlashBlade', 'LoginFailed', { stat: 'Sum' }), 'of the namespace'],
    ['no dimension', BODY, line('FlashBladeSessions', 'LoginFailed', { stat: 'Sum' }), 'dimension service'],
    [
      'a queue that does not exist',
      BODY,
      line('AWS/SQS', 'ApproximateAgeOfOldestMessage', 'QueueName', sub('<Queue.QueueName>'), { stat: 'Maximum' }),
      'with the dimensions',
    ],
    [
      'a query without quotes around a reserved word',
      BODY,
      line({ expression: 'SELECT MAX(LiveLeases) FROM SCHEMA(FlashBladeSessions, service, array) GROUP BY array' }),
      'of the namespace',
    ],
    ['a query for another stage', BODY, query('LiveLeases', { service: 'another' }), 'dimension service'],
    ['a query for a metric that no array has', BODY, query('OldestDueAge'), 'with the dimensions'],
    ['an average over arrays', BODY, query('LiveLeases', { by: 'AVG' }), 'of the namespace'],
    [
      'an index that does not exist',
      BODY,
      line(
        'AWS/DynamoDB',
        'WriteThrottleEvents',
        'TableName',
        sub('<LeaseTable>'),
        'GlobalSecondaryIndexName',
        'dues',
        {
          stat: 'Sum',
        },
      ),
      'with the dimensions',
    ],
  ),
  rule(
    'a widget that shows something per array shows the ten worst arrays, whatever the size of the fleet',
    eachWidget(/^metric$/, (widget, what) =>
      expressionsOf(widget).map((expression) => !WORST.test(expression) && `${what}: ${expression}`),
    ),
    ['no order, so that any 500 arrays are shown', BODY, query('LiveLeases')],
    ['the best arrays', BODY, query('LiveLeases', { end: ' ORDER BY MAX() ASC LIMIT 10' })],
    ['the healthiest arrays', BODY, query('ArrayHealthy', { by: 'MIN', end: ' ORDER BY MIN() DESC LIMIT 10' })],
    ['an order by something else', BODY, query('LiveLeases', { end: ' ORDER BY MIN() ASC LIMIT 10' })],
    ['no limit', BODY, query('LiveLeases', { end: ' ORDER BY MAX() DESC' })],
    [
      'a search, which shows at most 500 arrays in no order',
      BODY,
      line({ expression: `SEARCH('{FlashBladeSessions,service,array} MetricName="LiveLeases"', 'Maximum', 60)` }),
    ],
  ),
  rule(
    'the dashboard shows what every array has: sessions, health, and the days left',
    (template) => {
      const shown = widgetsOf(template).flatMap((widget) => expressionsOf(widget).map((one) => queried(one).name));
      return differs('per array', shown.sort(), ['ApiTokenDays', 'ArrayHealthy', 'CertificateDays', 'LiveLeases']);
    },
    ['nothing per array', BODY, metric({})],
  ),
];

/** Checks that CloudWatch can read the dashboard, and that it shows only metrics that exist. */
import { alarmsOf } from './alarm-checks.ts';
import { FIELDS } from './log-fields.ts';
import { metricFaults, type Watched } from './measured.ts';
import { fieldsIn } from './runbook.ts';
import { at, differs, type Json, list, render, resourcesOf, type Template } from './template.ts';

const COLUMNS = 24;
const ACCOUNT_OR_REGION = /\b\d{12}\b|\b[a-z]{2}(-gov)?-(north|south|east|west|central)[a-z]*-\d\b/;

type Box = { readonly x: number; readonly y: number; readonly width: number; readonly height: number };

export const dashboardFaults = (template: Template): string[] => {
  const dashboard = template.Resources['Dashboard']?.Properties;
  const text = render(at(dashboard, 'DashboardBody'));
  const name = render(at(dashboard, 'DashboardName'));
  const widgets = widgetsOf(text);
  if (widgets === undefined) return ['Dashboard: its body is no JSON'];
  return [
    ...differs('Dashboard: name', name, '<StackName>-<Region>'),
    ...(ACCOUNT_OR_REGION.test(text) ? ['Dashboard: names an account or a region'] : []),
    ...gridFaults(widgets),
    ...alarmListFaults(template, widgets),
    ...widgets.flatMap((widget) => widgetFaults(template, widget)),
  ];
};

export const widgetsOf = (text: string): Json[] | undefined => {
  try {
    return list(at(JSON.parse(text) as Json, 'widgets'));
  } catch {
    return undefined;
  }
};

const titleOf = (widget: Json): string => `Dashboard: ${String(at(widget, 'properties', 'title') ?? 'a text')}`;
const boxOf = (widget: Json): Box => widget as Box;
const overlap = (a: Box, b: Box): boolean =>
  a.x < b.x + b.width && b.x < a.x + a.width && a.y < b.y + b.height && b.y < a.y + a.height;

const gridFaults = (widgets: readonly Json[]): string[] =>
  widgets.flatMap((widget, index) => {
    const { x, y, width, height } = boxOf(widget);
    const fits = x >= 0 && y >= 0 && width > 0 && height > 0 && x + width <= COLUMNS;
    const others = widgets.slice(index + 1).filter((other) => overlap(boxOf(widget), boxOf(other)));
    return [
      ...(fits ? [] : [`${titleOf(widget)}: is not on the grid`]),
      ...others.map((other) => `${titleOf(widget)}: lies over ${titleOf(other)}`),
    ];
  });

const alarmListFaults = (template: Template, widgets: readonly Json[]): string[] => {
  const listed = widgets.flatMap((widget) => list(at(widget, 'properties', 'alarms')));
  const all = alarmsOf(template).map(([id]) => `<${id}.Arn>`);
  return differs('Dashboard: alarms', listed.sort(), all.sort());
};

const widgetFaults = (template: Template, widget: Json): string[] => {
  const type = at(widget, 'type');
  if (type === 'text') return textFaults(widget);
  if (type === 'alarm') return [];
  const region = differs(`${titleOf(widget)}: region`, at(widget, 'properties', 'region'), '<Region>');
  if (type === 'log') return [...region, ...queryFaults(template, widget)];
  if (type !== 'metric') return [`${titleOf(widget)}: is of no type`];
  const metrics = metricsOf(widget);
  return [
    ...region,
    ...(metrics.length > 0 ? [] : [`${titleOf(widget)}: shows nothing`]),
    ...metrics.flatMap((metric) => metricFaults(template, titleOf(widget), metric)),
  ];
};

const textFaults = (widget: Json): string[] =>
  /\]\(\S*operations\.md\)/.test(String(at(widget, 'properties', 'markdown')))
    ? []
    : [`${titleOf(widget)}: does not link the runbook`];

const queryFaults = (template: Template, widget: Json): string[] => {
  const query = String(at(widget, 'properties', 'query'));
  const sources = [...query.matchAll(/SOURCE '<(\w+)>'/g)].map(([, id]) => String(id));
  const groups = resourcesOf(template, 'AWS::Logs::LogGroup').map(([id]) => id);
  return [
    ...differs(`${titleOf(widget)}: logs`, sources.sort(), groups.sort()),
    // For an error that a function returns, Lambda adds its own line, which has no event.
    ...(/\| filter ispresent\(message\.event\)/.test(query) ? [] : [`${titleOf(widget)}: counts failures twice`]),
    ...fieldsIn(query)
      .filter((field) => !FIELDS.includes(field))
      .map((field) => `${titleOf(widget)}: no log line has ${field}`),
  ];
};

const SEARCH = /^SEARCH\('\{([\w/]+),service,array\} service="([^"]+)" MetricName="(\w+)"', '(\w+)', \d+\)$/;

/** The metrics of a widget. In a line, `...` stands for the leading parts of the previous line. */
const metricsOf = (widget: Json): Watched[] => {
  let before: Json[] = [];
  return list(at(widget, 'properties', 'metrics')).map((line) => {
    const options = list(line).at(-1) ?? {};
    const expression = at(options, 'expression');
    if (expression !== undefined) return searched(String(expression));
    const [first, ...rest] = list(line).slice(0, -1);
    const parts =
      first === '...' ? [...before.slice(0, before.length - rest.length), ...rest] : list(line).slice(0, -1);
    before = parts;
    const [namespace, name, ...dimensions] = parts.map(String);
    const pairs = dimensions.flatMap((key, index) => (index % 2 === 0 ? [[key, dimensions[index + 1] ?? '']] : []));
    return {
      namespace: namespace ?? '',
      name: name ?? '',
      dimensions: Object.fromEntries(pairs),
      statistic: String(at(options, 'stat') ?? ''),
    };
  });
};

const searched = (expression: string): Watched => {
  const [, namespace = expression, service = '', name = '', statistic = ''] = SEARCH.exec(expression) ?? [];
  return { namespace, name, dimensions: { service, array: '*' }, statistic };
};

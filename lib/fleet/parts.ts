/**
 * The steps of a check of the whole fleet, which a state machine (infra/fleet-check.yml) runs: plan → check each part → conclude. The arrays
 * are listed once for the plan, and again for each part, because 10,000 names do not fit into a state machine's data. The names of a single
 * part do.
 */
import * as v from 'valibot';
import { MARGIN_MS } from '../core/deadlines.ts';
import { arrayName, check, fields, isArrayName, isObject, onlyFields, whole } from '../core/validation.ts';
import type { Ports } from '../leases/ports.ts';
import { arrayNames, type FleetRequest, MAX_RESULT_BYTES, parseFleetRequest } from '../leases/requests.ts';
import { checkArrays, giveUp, listArrays, reportFleet } from './check.ts';
import { bounded, count, type FleetResult, merge, resultFields, summarize } from './result.ts';

/** One invocation checks this many arrays in about a minute, or in five minutes if none of them responds. */
export const PART_ARRAYS = 500;
/** Limits the size of the plan and, with RESULTS_BYTES, of each part's result. Parts of a larger fleet are larger. */
export const MAX_PARTS = 100;
/** The size of all parts' results together. They travel with the plan, in a state of at most 256 KiB. */
export const RESULTS_BYTES = 180 * 1024;
/** The number of invocations that one part may take. */
const MAX_ROUNDS = 3;

/** A range of array names, `from` inclusive, or the names, as the state machine passes them on. */
export type FleetPart = {
  readonly from?: string | undefined;
  readonly before?: string | undefined;
  /** Number of arrays in the range when the plan was made. */
  readonly planned: number;
  /** Size limit of the part's result. */
  readonly maxBytes: number;
  /** Counts the part's invocations from 1. */
  readonly round?: number | undefined;
  /** In the first round, all names of the fleet's only part. Later, the arrays that earlier rounds could not check. */
  readonly names?: readonly string[] | undefined;
  /** The result of earlier rounds. */
  readonly soFar?: FleetResult | undefined;
};

const fleetPart = onlyFields({
  from: v.optional(arrayName),
  before: v.optional(arrayName),
  planned: count,
  maxBytes: whole(1, MAX_RESULT_BYTES),
  round: v.optional(count),
  names: v.optional(arrayNames),
  soFar: v.optional(fields(resultFields)),
});

/** The plan's count of arrays and ignored secrets, and the results of the parts that did not fail. */
export type FleetParts = {
  readonly arrays: number;
  readonly ignoredSecrets: readonly string[];
  readonly results: readonly unknown[];
};

const STEPS = {
  plan: onlyFields({ step: v.literal('plan') }),
  check: onlyFields({ step: v.literal('check'), part: fleetPart }),
  conclude: onlyFields({
    step: v.literal('conclude'),
    arrays: count,
    ignoredSecrets: v.array(v.string('must be a string'), 'must be a list'),
    results: v.array(v.unknown(), 'must be a list'),
  }),
};
const stepName = fields({ step: v.picklist(['plan', 'check', 'conclude'], 'must be plan, check or conclude') });
type Step =
  | { readonly step: 'plan' }
  | { readonly step: 'check'; readonly part: FleetPart }
  | ({ readonly step: 'conclude' } & FleetParts);

/** Parses a step of the state machine, or any other request to check the fleet. Throws REQUEST_INVALID. */
export function parseFleetStep(input: unknown): Step | FleetRequest {
  if (!isObject(input) || !Object.hasOwn(input, 'step')) return parseFleetRequest(input);
  const { step } = check(stepName, input, 'REQUEST_INVALID', 'fleet request');
  return check<v.GenericSchema<unknown, Step>>(STEPS[step], input, 'REQUEST_INVALID', `fleet request, step ${step}`);
}

export type FleetPlan = {
  /** Number of arrays in all parts. */
  readonly arrays: number;
  readonly parts: readonly FleetPart[];
  readonly ignoredSecrets: readonly string[];
};

/** The result for one part. `planned`: how many arrays the plan gave it. */
export type PartResult = FleetResult & { readonly planned: number };

/**
 * Divides all arrays into ranges of names. Together, the ranges cover every name, also one that is added after the plan is made. A single
 * part has the names instead, so that they are not listed again.
 */
export async function planCheck(ports: Ports, deadline: number): Promise<FleetPlan> {
  const { names, ignoredSecrets } = await listArrays(ports, { by: deadline - MARGIN_MS });
  const size = Math.max(PART_ARRAYS, Math.ceil(names.length / MAX_PARTS));
  const count = Math.ceil(names.length / size);
  const parts = Array.from({ length: count }, (_, n): FleetPart => {
    const [from, before] = [names[n * size], names[(n + 1) * size]];
    return {
      ...(n > 0 && { from }),
      ...(before !== undefined && { before }),
      ...(count === 1 && { names }),
      planned: Math.min(size, names.length - n * size),
      maxBytes: Math.floor(RESULTS_BYTES / count),
    };
  });
  return { arrays: names.length, parts, ignoredSecrets };
}

/**
 * Checks one part of the plan. Until the last round, the result is the `part` that remains if this invocation could not check every array. The
 * next one checks the others.
 */
export async function checkPart(
  ports: Ports,
  part: FleetPart,
  deadline: number,
): Promise<PartResult | { readonly part: FleetPart }> {
  const { planned, maxBytes, round = 1, soFar } = part;
  const names = part.names ?? (await namesIn(ports, part, deadline - MARGIN_MS));
  const { reports, missed } = await checkArrays(ports, names, { deadline, listed: true });
  const found = (notChecked: number): FleetResult =>
    bounded(merge([...(soFar === undefined ? [] : [soFar]), summarize(reports, notChecked)]), maxBytes - PLANNED_BYTES);
  if (missed.size > 0 && round < MAX_ROUNDS) {
    return { part: { planned, maxBytes, round: round + 1, names: [...missed.keys()], soFar: found(0) } };
  }
  giveUp(ports, missed);
  return { planned, ...found(missed.size) };
}

const PLANNED_BYTES = '"planned":1000000000,'.length;

/** Lists only secrets with the prefix that both ends of the range have, because every name in the range has it, too. */
async function namesIn(ports: Ports, { from = '', before }: FleetPart, by: number): Promise<readonly string[]> {
  const listed = await ports.secrets.list({ by, prefix: before === undefined ? '' : commonPrefix(from, before) });
  return listed.filter((name) => isArrayName(name) && name >= from && (before === undefined || name < before));
}

export function commonPrefix(one: string, other: string): string {
  let length = 0;
  while (length < one.length && one[length] === other[length]) length++;
  return one.slice(0, length);
}

const partResult = fields({ planned: count, ...resultFields });

/** Adds up the parts' results, and reports on the fleet. A part that failed has no result, so none of its arrays was checked. */
export function concludeCheck(ports: Ports, { arrays, ignoredSecrets, results }: FleetParts): FleetResult {
  const parts = results.flatMap((result) => {
    const { success, output } = v.safeParse(partResult, result);
    return success ? [output] : [];
  });
  const missing = arrays - parts.reduce((sum, { planned }) => sum + planned, 0);
  const whole = merge([...parts, summarize([], Math.max(0, missing))]);
  return reportFleet(ports, { ...bounded(whole), ...(ignoredSecrets.length > 0 && { ignoredSecrets }) });
}

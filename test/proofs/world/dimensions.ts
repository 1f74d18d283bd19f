/** Conditions beyond dying processes and lost responses, one at a time and in combination. */

/** Each is off unless a dimension turns it on. */
export type Features = {
  /** An array may act on a request up to this long after its caller stopped waiting. */
  readonly lateMs: number;
  /** Any two clocks, of processes and arrays, differ by up to this. */
  readonly skewMs: number;
  /** A process may stop for up to this at any effect, and then resumes. */
  readonly stopMs: number;
  /** Each index item lags behind the table by up to this. */
  readonly lagMs: number;
  /** The fleet check runs, which drops SUSPECTs. */
  readonly checks: boolean;
  /** Requests come through the queue, which redelivers them after a failure and sometimes delivers one twice at once. */
  readonly queue: boolean;
  /** Two owners request the same lease id. */
  readonly owners: boolean;
  /** The owner of the stack turns shards on and off while sessions are open, so that entries of the index move. */
  readonly shards: boolean;
  /** Some processes run the code of a former version. */
  readonly former: boolean;
};

const MINUTE_MS = 60_000;
/** Conditions that every version of the code supports. */
const PLAIN: Features = {
  ...{ lateMs: 5000, skewMs: 5000, stopMs: 0, lagMs: 20_000 },
  ...{ checks: false, queue: false, owners: false, shards: false, former: false },
};
const [LATE, SKEWED, STOPPED] = [{ lateMs: MINUTE_MS }, { skewMs: MINUTE_MS }, { stopMs: MINUTE_MS }];

export const DIMENSIONS = {
  plain: PLAIN,
  'late arrays': { ...PLAIN, ...LATE },
  'skewed clocks': { ...PLAIN, ...SKEWED },
  'stopped processes': { ...PLAIN, ...STOPPED },
  'late, skewed and stopped': { ...PLAIN, ...LATE, ...SKEWED, ...STOPPED },
  'fleet checks': { ...PLAIN, ...LATE, ...SKEWED, checks: true },
  'the queue': { ...PLAIN, ...STOPPED, queue: true },
  'lagging indexes': { ...PLAIN, ...SKEWED, lagMs: MINUTE_MS, shards: true },
  'two owners': { ...PLAIN, owners: true, queue: true },
  'a former version': { ...PLAIN, former: true },
  everything: {
    ...{ ...PLAIN, ...LATE, ...SKEWED, ...STOPPED, lagMs: MINUTE_MS },
    ...{ checks: true, queue: true, owners: true, shards: true },
  },
} as const satisfies Record<string, Features>;

export type Dimension = keyof typeof DIMENSIONS;
export const DIMENSION_NAMES = Object.keys(DIMENSIONS) as Dimension[];

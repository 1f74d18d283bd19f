/** A question and its answer. Each file in questions/ measures one in its own way; report and plot know no more than this. */
import type { Interval } from './measure.ts';

export type Question = {
  /** What `--question` takes. */
  readonly name: string;
  /** One line above the tables and the plot, without a full stop. */
  readonly title: string;
  readonly ask: (settings: Settings) => Promise<Answer>;
};

export type Settings = {
  /** Few rounds: whether it works, not how fast it is. */
  readonly quick: boolean;
  /** Of every order that is drawn. */
  readonly seed: number;
};

export type Answer = {
  readonly tables: readonly Table[];
  /** Multiples of a floor, for the plot. Empty: no plot. */
  readonly ratios: readonly Ratio[];
  readonly goals: readonly Goal[];
  /** How it was measured and what must be known to read it: one sentence each. */
  readonly notes: readonly string[];
};

/** As many cells in each row as there are columns. The first column names what the row is about. */
export type Table = { readonly columns: readonly string[]; readonly rows: readonly (readonly string[])[] };

export type Ratio = {
  readonly label: string;
  readonly measured: Interval;
  /** Default none. */
  readonly goal?: number;
};

export type Goal = {
  readonly what: string;
  readonly atMost: number;
  readonly measured: Interval;
  /** Behind the numbers: `×`, `KiB` … */
  readonly unit: string;
};

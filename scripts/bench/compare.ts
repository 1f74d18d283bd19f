/** Contenders against their floors, in interleaved rounds: what disturbs a round disturbs both. */
import { randomOf } from '../../test/proofs/world/random.ts';
import { type Interval, intervalOf, shuffled } from './measure.ts';

/** Milliseconds for one operation: on the clock, and of all threads of the process that did it. */
export type Usage = { readonly wallMs: number; readonly cpuMs: number };

export type Contender = {
  readonly name: string;
  /** The contender that is 1.0; a floor's own is itself. */
  readonly floor: string;
  /** One short block. */
  readonly run: () => Promise<Usage>;
};

/** `ratio`: to the floor of the same round. */
export type Measured = { readonly ms: Interval; readonly ratio: Interval };
export type Comparison = Pick<Contender, 'name' | 'floor'> & { readonly cpu: Measured; readonly wall: Measured };

export type Rounds = {
  readonly rounds: number;
  /** Run before them, and forgotten. */
  readonly warmUp: number;
  readonly seed: number;
};

/** Runs every contender once per round, each round in an order of its own. Answers in the order of `contenders`. */
export async function compare(
  contenders: readonly Contender[],
  { rounds, warmUp, seed }: Rounds,
): Promise<readonly Comparison[]> {
  const { next } = randomOf(seed);
  const usages = new Map(contenders.map(({ name }) => [name, [] as Usage[]]));
  for (let round = -warmUp; round < rounds; round++) {
    for (const { name, run } of shuffled(contenders, next)) {
      const usage = await run();
      if (round >= 0) usages.get(name)?.push(usage);
    }
  }
  return contenders.map(({ name, floor }) => {
    const [own = [], base = []] = [usages.get(name), usages.get(floor)];
    return { name, floor, cpu: measured(own, base, 'cpuMs'), wall: measured(own, base, 'wallMs') };
  });
}

function measured(own: readonly Usage[], base: readonly Usage[], what: keyof Usage): Measured {
  const ratios = own.map((usage, round) => usage[what] / (base[round]?.[what] ?? Number.NaN));
  return { ms: intervalOf(own.map((usage) => usage[what])), ratio: intervalOf(ratios) };
}

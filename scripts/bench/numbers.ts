/** How numbers are written. */
import type { Interval } from './measure.ts';

export const times = (interval: Interval): string => `${between(interval)} ×`;

/** Median and bounds, `1.43 (1.40–1.47)`. */
export const between = ({ low, median, high }: Interval): string =>
  `${median.toFixed(2)} (${low.toFixed(2)}–${high.toFixed(2)})`;

/** Empty if there is no whole. */
export const percent = (part: number, whole: number): string =>
  whole === 0 ? '' : `${Math.round((100 * part) / whole)} %`;

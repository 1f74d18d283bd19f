/** Draws the documentation's pictures. `node docs/pictures/draw.ts` writes each picture as an SVG beside this file. */
import { writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { ARCHITECTURE } from './architecture.ts';
import { LEASE } from './lease.ts';
import { STACK } from './stack.ts';
import { SUSPECT } from './suspect.ts';
import { type Picture, svgOf } from './svg.ts';

export const PICTURES: Readonly<Record<string, Picture>> = {
  architecture: ARCHITECTURE,
  lease: LEASE,
  suspect: SUSPECT,
  stack: STACK,
};

if (import.meta.main) {
  for (const [name, picture] of Object.entries(PICTURES)) {
    const path = join(import.meta.dirname, `${name}.svg`);
    writeFileSync(path, svgOf(picture));
    console.log(path);
  }
}

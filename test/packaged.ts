/** Builds and packages the functions once per test run, as `npm run package` does; gives tests what came of it. */
import { readFileSync } from 'node:fs';
import { resolve } from 'node:path';
import { buildFunctions, ROOT } from '../scripts/build.ts';
import { packageFunctions } from '../scripts/package.ts';

const PACKAGED = resolve(ROOT, '.serverless');

export default async function setup(): Promise<void> {
  await buildFunctions();
  await packageFunctions();
}

export type Resource = { readonly Type: string; readonly Properties: Record<string, unknown> };
export type Template = { readonly Resources: Record<string, Resource> };

/** The compiled CloudFormation template. */
export const template = (): Template =>
  JSON.parse(readFileSync(resolve(PACKAGED, 'cloudformation-template-update-stack.json'), 'utf8'));

/** Path of a function's zip. */
export const zipOf = (name: string): string => resolve(PACKAGED, `${name}.zip`);

/** The lease table as it is deployed. */
export const leaseTable = () => template().Resources['LeaseTable']?.Properties as never;

/** What `npm run package` made: the compiled CloudFormation template and the functions' zips. The set-up of the tests makes them once. */
import { readFileSync } from 'node:fs';
import { resolve } from 'node:path';

const PACKAGED = resolve(import.meta.dirname, '../../.serverless');

export type Resource = { readonly Type: string; readonly Properties: Record<string, unknown> };
export type Template = { readonly Resources: Record<string, Resource> };

/** The compiled CloudFormation template. */
export const template = (): Template =>
  JSON.parse(readFileSync(resolve(PACKAGED, 'cloudformation-template-update-stack.json'), 'utf8'));

/** Path of a function's zip. */
export const zipOf = (name: string): string => resolve(PACKAGED, `${name}.zip`);

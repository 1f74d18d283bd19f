/** Creates bills of materials (CycloneDX, JSON) for the installed packages and for those in the bundles. */
import { execFile } from 'node:child_process';
import { resolve } from 'node:path';
import { promisify } from 'node:util';
import { Spec, Validation } from '@cyclonedx/cyclonedx-library';
import { ROOT } from '../build.ts';
import type { BundledPackage } from './packages.ts';

const TOOL = resolve(ROOT, 'node_modules/@cyclonedx/cyclonedx-npm/bin/cyclonedx-npm-cli.js');
const VERSION = '1.6';
const MAX_BYTES = 64 * 1024 * 1024;
const PATH = 'cdx:npm:package:path';
const FUNCTION = 'flashblade-sessions:function';

type Property = { readonly name: string; readonly value?: string };
export type Component = {
  readonly 'bom-ref': string;
  readonly group?: string;
  readonly name: string;
  readonly version?: string;
  readonly purl?: string;
  readonly licenses?: readonly object[];
  readonly properties?: readonly Property[];
};
type Dependency = { readonly ref: string; readonly dependsOn?: readonly string[] };
export type Bom = {
  readonly metadata: { readonly component: Component; readonly tools?: { readonly components: readonly Component[] } };
  readonly components: readonly Component[];
  readonly dependencies: readonly Dependency[];
};

/** Lists all installed packages, without a timestamp or serial number, so that the output is deterministic. Needs no network. */
export async function installedBom(): Promise<Bom> {
  const form = ['--output-reproducible', '--flatten-components', '--no-validate', '--spec-version', VERSION];
  const args = [TOOL, ...form, '--output-file', '-'];
  const { stdout } = await promisify(execFile)(process.execPath, args, { cwd: ROOT, maxBuffer: MAX_BYTES });
  const bom = JSON.parse(stdout) as Bom;
  // Omit npm, because its version does not affect the result.
  const tools = bom.metadata.tools?.components.filter(({ name }) => name !== 'npm') ?? [];
  return { ...bom, metadata: { ...bom.metadata, tools: { components: tools } } };
}

/** Keeps only the bundled components, and adds the functions that contain them. Throws if a bundled package is missing from `whole`. */
export function bundledBom(whole: Bom, packages: readonly BundledPackage[]): Bom {
  const byPath = new Map(whole.components.map((component) => [pathOf(component), component]));
  const components = packages.map(({ directory, name, functions }) => {
    const component = byPath.get(directory);
    if (component === undefined)
      throw new Error(`${name} is in a bundle, but npm does not list the package; run npm ci`);
    return withFunctions(component, functions);
  });
  const kept = new Set([whole.metadata.component, ...components].map((component) => component['bom-ref']));
  const dependencies = whole.dependencies
    .filter(({ ref }) => kept.has(ref))
    .map(({ ref, dependsOn = [] }) => {
      const on = dependsOn.filter((other) => kept.has(other));
      return on.length === 0 ? { ref } : { ref, dependsOn: on };
    });
  return { ...whole, components, dependencies };
}

/** Returns the violations of the CycloneDX schema. */
export async function faultsOf(bom: Bom): Promise<readonly unknown[]> {
  const fault = await new Validation.JsonStrictValidator(Spec.Version.v1dot6).validate(JSON.stringify(bom));
  return fault === null ? [] : [fault].flat();
}

export const textOf = (bom: Bom): string => `${JSON.stringify(bom, null, 2)}\n`;

const pathOf = ({ properties = [] }: Component): string | undefined =>
  properties.find(({ name }) => name === PATH)?.value;

/** Removes the development marker, because a bundled package runs in production. */
const withFunctions = (component: Component, functions: readonly string[]): Component => ({
  ...component,
  properties: [
    ...(component.properties ?? []).filter(({ name }) => name !== 'cdx:npm:package:development'),
    ...functions.map((value) => ({ name: FUNCTION, value })),
  ],
});

/** Returns the names of the functions whose bundles contain part of a component. */
export const functionsOf = ({ properties = [] }: Component): string[] =>
  properties.flatMap(({ name, value }) => (name === FUNCTION && value !== undefined ? [value] : []));

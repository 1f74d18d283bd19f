/** Types for the part of asl-validator that the tests use. The package ships no types. */
declare module 'asl-validator' {
  type Verdict = { readonly isValid: boolean; errorsText(separator?: string): string };

  /** Adds defaults to the given definition. */
  export default function aslValidator(definition: object): Verdict;
}

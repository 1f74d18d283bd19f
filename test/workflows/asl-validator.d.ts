/** The part of asl-validator, which ships no types, that the tests use. */
declare module 'asl-validator' {
  type Verdict = { readonly isValid: boolean; errorsText(separator?: string): string };

  /** Adds defaults to the definition that it is given. */
  export default function aslValidator(definition: object): Verdict;
}

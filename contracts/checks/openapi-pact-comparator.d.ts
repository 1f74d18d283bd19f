/** Types for the parts of the comparator that are used here. The package's own types import files that it does not ship. */
declare module '@pactflow/openapi-pact-comparator' {
  type Result = {
    readonly type: 'error' | 'warning' | 'info';
    readonly code: string;
    readonly message: string;
    readonly mockDetails?: { readonly interactionDescription?: string | null; readonly location: string };
  };

  export class Comparator {
    constructor(options: { readonly oas: object });
    compare(pact: object): AsyncGenerator<Result>;
  }
}

/** Types for the parts of dynalite that the tests use. dynalite ships no types. */
declare module 'dynalite' {
  /** An HTTP server with in-memory tables. `createTableMs`: how long a table stays CREATING. `close` also closes the tables. */
  export default function dynalite(options?: { readonly createTableMs?: number }): import('node:http').Server;
}

/** Types for the parts of dynalite that the tests use. dynalite ships no types. */
declare module 'dynalite' {
  import type { Server } from 'node:http';

  type Options = {
    /** How many milliseconds a table stays CREATING. dynalite's default is 500. */
    readonly createTableMs?: number;
  };

  /** An HTTP server with in-memory tables. `close` also closes the tables. */
  export default function dynalite(options?: Options): Server;
}

/** Types for the part of dynalite that the tests use. dynalite ships none. */
declare module 'dynalite' {
  import type { Server } from 'node:http';

  type Options = {
    /** Milliseconds that a table stays CREATING; dynalite's default is 500. */
    readonly createTableMs?: number;
  };

  /** An HTTP server whose tables live in memory; `close` also closes them. */
  export default function dynalite(options?: Options): Server;
}

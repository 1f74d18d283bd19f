/** What every client under measurement does, and what it is told. */

export type Client = {
  /** Logs in to the array behind a port, and out. Rejects unless both were confirmed. */
  readonly cycle: (port: number) => Promise<void>;
  /** Ends the connections. What makes the next ones cheaper is kept. */
  readonly close: () => void;
};

export type Place = {
  readonly host: string;
  /** PEM text of the authority behind the arrays' certificate. */
  readonly ca: string;
  /** SHA-256 of that certificate. */
  readonly fingerprint: string;
  readonly apiToken: string;
};

/** What names and values in HTTP consist of (RFC 9110, 5.5 and 5.6.2), as parts of patterns. */

/** A name. */
export const TOKEN = "[!#$%&'*+.^_`|~0-9A-Za-z-]+";
/** Any text in a head that was received: printable ASCII, tab, and what old servers send beyond ASCII. */
export const TEXT = '[\\t -~\\x80-\\xff]*';

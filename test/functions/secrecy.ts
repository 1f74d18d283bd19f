/** Finds tokens in a text, however they may have got there. */

const MIN_PART = 16;

/** Texts that contain one of these contain the token: as it is, in hex, in base64 at any of its three alignments. */
function disguisesOf(token: string): string[] {
  const bytes = Buffer.from(token);
  const shifted = [0, 1, 2].map((shift) => {
    const whole = Buffer.concat([Buffer.alloc(shift), bytes]).toString('base64url');
    // The characters at the ends depend on what stands before and behind the token.
    return whole.slice(shift === 0 ? 0 : shift + 1, -2);
  });
  return [token, bytes.toString('hex'), ...shifted];
}

/** Which of the tokens are in the text; upper and lower case are the same, and so are both alphabets of base64. */
export function tokensIn(text: string, tokens: readonly string[]): string[] {
  const plain = text.toLowerCase();
  const base64 = text.replaceAll('+', '-').replaceAll('/', '_').toLowerCase();
  return tokens.filter((token) => {
    if (token.length < MIN_PART) throw new Error('A token this short is found everywhere');
    return disguisesOf(token).some((disguise) => [plain, base64].some((one) => one.includes(disguise.toLowerCase())));
  });
}

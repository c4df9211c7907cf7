/** What a caller asked for cannot be: an unknown flow, a link that does not exist. */
export class TandemError extends Error {
  override readonly name = 'TandemError';
}

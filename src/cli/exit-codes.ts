/** What the process exits with; the same for every command. */
export const EXIT = {
  done: 0,
  failed: 1,
  /** Wrong usage or configuration. */
  usage: 2,
  /** Done, with some objects failed that the output names. */
  partial: 3,
} as const;

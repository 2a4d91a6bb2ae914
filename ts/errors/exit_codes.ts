/** Exit codes of the `heddle` command, after sysexits(3) where it has one. */

/** What the process ends with. */
export const EXIT = {
  /** Stopped as asked, by SIGINT, SIGTERM or the end of the work. */
  OK: 0,
  /** Any error not named below. */
  FAILURE: 1,
  /** Wrong usage or an address that is not allowed. */
  USAGE: 64,
  /** The address is taken, nothing answers there, or the addon is not built. */
  UNAVAILABLE: 69,
  /** The engine found itself inconsistent and stopped. */
  ENGINE: 70,
  /** The scheduler went away; starting again later may help. */
  SCHEDULER_LOST: 75,
} as const;

/** The table as `--help` shows it. */
export const EXIT_HELP = `
Exit codes:
  0   stopped as asked (SIGINT and SIGTERM included)
  1   an error not named below
  64  wrong usage, or an address that is not allowed
  69  address in use, nothing answers there, or the native addon is not built
  70  the engine found itself inconsistent and stopped
  75  the scheduler went away`;

/** The exit code that an error's code asks for. */
export function exitCodeOf(code: string): number {
  switch (code) {
    case 'ERR_ADDRESS_INVALID':
    case 'ERR_ADDRESS_NOT_LOOPBACK':
    case 'ERR_ARGUMENT':
      return EXIT.USAGE;
    case 'ERR_ADDRESS_IN_USE':
    case 'ERR_CONNECT_TIMEOUT':
    case 'ERR_NATIVE_MISSING':
      return EXIT.UNAVAILABLE;
    case 'ERR_ENGINE_POISONED':
      return EXIT.ENGINE;
    case 'ERR_SCHEDULER_LOST':
      return EXIT.SCHEDULER_LOST;
    default:
      return EXIT.FAILURE;
  }
}

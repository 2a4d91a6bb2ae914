#!/usr/bin/env node
/** The `heddle` command. */
import process from 'node:process';
import { CommanderError } from 'commander';
import { EXIT, exitCodeOf } from '../errors/exit_codes.js';
import { HeddleError } from '../errors/index.js';
import { endWithLauncher } from './launcher.js';
import { program } from './program.js';

function fail(error: unknown): number {
  // Commander has already printed its own text; help and version are no errors.
  if (error instanceof CommanderError) return error.exitCode === 0 ? EXIT.OK : EXIT.USAGE;
  if (error instanceof HeddleError) {
    process.stderr.write(`heddle: ${error.message} [${error.code}]\n`);
    return exitCodeOf(error.code);
  }
  process.stderr.write(`heddle: ${error instanceof Error ? error.stack : String(error)}\n`);
  return EXIT.FAILURE;
}

try {
  endWithLauncher();
  await program().parseAsync();
} catch (error) {
  process.exitCode = fail(error);
}

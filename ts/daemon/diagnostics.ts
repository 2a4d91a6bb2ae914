/** The commands that show what a run costs, as part of the command line. */
import process from 'node:process';
import { Command, InvalidArgumentError, Option } from 'commander';
import { EXIT_HELP } from '../errors/exit_codes.js';

/** All of them. */
export function diagnosticCommands(): Command[] {
  return [explainCommand(), replayCommand(), profileCommand(), traceCommand()];
}

function explainCommand(): Command {
  return new Command('explain')
    .description('Show where the time of a run went, by the four questions, with advice.')
    .argument('[run]', 'a file that (await client.explain()).save(file) wrote')
    .option('--address <address>', 'ask a live scheduler instead: all since it started')
    .option('--json', 'print the figures as one JSON object', false)
    .exitOverride()
    .addHelpText(
      'after',
      `
CPU time is told by the thread that spent it: describe (the client builds the graph), communicate (client and
scheduler), process (the engine), dispatch (scheduler and workers), and user code beside them.

Examples:
  $ heddle explain run.json
  $ heddle explain --address tcp://127.0.0.1:8786 --json
${EXIT_HELP}`,
    )
    .action(async (file: string | undefined, options: { address?: string; json: boolean }) => {
      const { runExplain } = await import('./explain.js');
      await runExplain(file, options);
    });
}

function replayCommand(): Command {
  return new Command('replay')
    .description('Repeat a recorded run offline, timed by stage: same inputs, same end.')
    .argument('<file>', "a record that 'heddle scheduler --record FILE' wrote")
    .option('--repeat <number>', 'how often', times, 1)
    .option('--json', 'print one JSON object per replay', false)
    .exitOverride()
    .addHelpText(
      'after',
      `
The engine is deterministic: it comes to the digest that the scheduler had when it stopped, or the replay fails. No
workers, sockets or user code take part, so what is measured is the scheduler alone.

Examples:
  $ heddle scheduler --record run.rec             # then run the work, and stop it with Ctrl-C
  $ heddle replay run.rec --repeat 5
  $ heddle profile -- heddle replay run.rec       # the same under a profiler
${EXIT_HELP}`,
    )
    .action(async (file: string, options: { repeat: number; json: boolean }) => {
      const { runReplay } = await import('./replay.js');
      await runReplay(file, options);
    });
}

function profileCommand(): Command {
  return new Command('profile')
    .description('Run a script or command under profilers: V8 and the Rust half, into one folder.')
    .argument('<command...>', 'after --: a script of yours, or any command')
    .option('--output <folder>', 'where the profiles go', 'heddle-profile')
    .addOption(
      new Option('--only <half>', 'one half, one run: both share a signal').choices(['v8', 'rust']),
    )
    .exitOverride()
    .addHelpText(
      'after',
      `
The command runs twice: under V8's profiler (client, workers, lanes and daemons, a .cpuprofile for each thread), and
under a sampler of the Rust half (an .svg flame graph for each process with a scheduler or a replay).

Examples:
  $ heddle profile -- my-script.js
  $ heddle profile --only rust -- heddle replay run.rec --repeat 20
  $ heddle profile --only v8 --output profiles -- heddle scheduler
${EXIT_HELP}`,
    )
    .action(async (command: string[], options: { output: string; only?: 'v8' | 'rust' }) => {
      const { runProfile } = await import('./profile.js');
      process.exitCode = await runProfile(command, options);
    });
}

function traceCommand(): Command {
  return new Command('trace')
    .description('Run a script with a trace of its local cluster: tasks per lane, transfers.')
    .argument('<command...>', 'after --: a script of yours, or any command')
    .option('--output <file>', 'where the trace goes', 'heddle-trace.json')
    .exitOverride()
    .addHelpText(
      'after',
      `
A scheduler of its own is traced with 'heddle scheduler --trace FILE'. Tracing times every task by itself: tiny tasks run
slower than without it.

Examples:
  $ heddle trace -- my-script.js
  $ heddle trace --output run.json -- my-script.js
${EXIT_HELP}`,
    )
    .action(async (command: string[], options: { output: string }) => {
      const { runTrace } = await import('./profile.js');
      process.exitCode = await runTrace(command, options);
    });
}

function times(text: string): number {
  const value = Number(text);
  if (/^\d+$/.test(text) && value >= 1 && value <= 1_000_000) return value;
  throw new InvalidArgumentError('a whole number from 1 to 1000000 is needed.');
}

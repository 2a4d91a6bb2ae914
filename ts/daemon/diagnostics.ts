/** The commands that show what a run costs, as part of the command line. */
import { Command, InvalidArgumentError } from 'commander';
import { EXIT_HELP } from '../errors/exit_codes.js';

/** All of them. */
export function diagnosticCommands(): Command[] {
  return [explainCommand(), replayCommand()];
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

function times(text: string): number {
  const value = Number(text);
  if (/^\d+$/.test(text) && value >= 1 && value <= 1_000_000) return value;
  throw new InvalidArgumentError('a whole number from 1 to 1000000 is needed.');
}

/** The commands that show what a run costs, as part of the command line. */
import { Command } from 'commander';
import { EXIT_HELP } from '../errors/exit_codes.js';

/** All of them. */
export function diagnosticCommands(): Command[] {
  return [explainCommand()];
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

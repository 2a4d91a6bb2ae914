/** The `heddle` command line: commands, options and the texts that teach them. */
import process from 'node:process';
import { Command, InvalidArgumentError } from 'commander';
import { PACKAGE_VERSION } from '../client/version.js';
import { EXIT_HELP } from '../errors/exit_codes.js';
import { runBench } from './bench.js';
import { diagnosticCommands } from './diagnostics.js';
import { DEFAULT_HOST, DEFAULT_PORT, runScheduler } from './scheduler.js';
import { runVersion } from './version.js';
import type { WorkerCommand } from './worker.js';

/** The whole command line, ready to parse. */
export function program(): Command {
  const root = new Command('heddle')
    .description('A distributed task scheduler for Node.js.')
    .version(PACKAGE_VERSION, '-V, --version', 'print the version and exit')
    .showHelpAfterError("(run 'heddle --help' for examples)")
    .exitOverride()
    .addHelpText(
      'after',
      `
Two terminals and a script make a cluster:
  $ npx heddle scheduler                                    # terminal 1
  $ npx heddle worker --connect tcp://127.0.0.1:${DEFAULT_PORT}        # terminal 2, once per worker
  $ node my-script.js                                       # Client.connect('tcp://127.0.0.1:${DEFAULT_PORT}')
In one process, LocalCluster.start() does all of it; no command is needed.
${EXIT_HELP}`,
    );
  root.addCommand(schedulerCommand());
  root.addCommand(workerCommand());
  for (const command of diagnosticCommands()) root.addCommand(command);
  root.addCommand(benchCommand());
  root.addCommand(versionCommand());
  return root;
}

function schedulerCommand(): Command {
  return new Command('scheduler')
    .description('Run a scheduler until Ctrl-C. It never runs user code.')
    .option('--host <address>', 'loopback address to listen on', DEFAULT_HOST)
    .option('--port <number>', 'port to listen on; 0 takes any free one', port, DEFAULT_PORT)
    .option('--bind <address...>', 'whole addresses instead: tcp://127.0.0.1:PORT, ipc:///PATH')
    .option('--record <file>', "record every input of the engine, for 'heddle replay'")
    .option('--trace <file>', 'write a trace of tasks per lane and transfers, for Perfetto')
    .option('--json', 'print {address, addresses, epoch, pid, worker} as one JSON line', false)
    .exitOverride()
    .addHelpText(
      'after',
      `
Only this machine can connect: addresses other machines could reach are refused.

Examples:
  $ heddle scheduler                              # tcp://127.0.0.1:${DEFAULT_PORT}
  $ heddle scheduler --port 0 --json              # any free port, for scripts
  $ heddle scheduler --bind ipc:///run/user/1000/heddle tcp://127.0.0.1:${DEFAULT_PORT}
  $ heddle scheduler --record run.rec             # a disk that fills ends the recording, never the run
${EXIT_HELP}`,
    )
    .action(
      (options: {
        host: string;
        port: number;
        bind?: string[];
        json: boolean;
        record?: string;
        trace?: string;
      }) => runScheduler({ ...options, bind: options.bind ?? [] }),
    );
}

function workerCommand(): Command {
  return new Command('worker')
    .description('Run a worker: a process with lanes (threads) that run tasks.')
    .requiredOption('--connect <address>', 'the address the scheduler printed')
    .option('--lanes <number>', 'threads that run tasks; default: the cores of the machine', count)
    .option('--name <text>', 'name shown in statistics')
    .option('--data-bind <address>', 'where other workers fetch values; chosen when absent')
    .option('--reconnect', 'when the scheduler goes away, wait for it instead of exiting', false)
    .option('--memory <bytes>', 'memory for values, in bytes', count)
    .option('--timeout <ms>', 'how long the scheduler may take to answer, in ms', count)
    .option('--json', 'print what happens as JSON lines', false)
    .exitOverride()
    .addHelpText(
      'after',
      `
A worker may come at any time and gets work at once. When it dies, what it ran is run elsewhere.

Examples:
  $ heddle worker --connect tcp://127.0.0.1:${DEFAULT_PORT}
  $ heddle worker --connect tcp://127.0.0.1:${DEFAULT_PORT} --lanes 4 --name big --reconnect
${EXIT_HELP}`,
    )
    .action(async (options: WorkerCommand) => {
      // Imported here: the scheduler needs none of it.
      const { runWorkerCommand } = await import('./worker.js');
      await runWorkerCommand(options);
    });
}

function benchCommand(): Command {
  return new Command('bench')
    .description('Measure the engine, the loop and its peers (in a clone of the repository).')
    .allowUnknownOption()
    .allowExcessArguments()
    .helpOption(false)
    .exitOverride()
    .argument('[arguments...]', 'passed on: --only NAME,NAME --size smoke|full --json FILE')
    .action(async (args: string[]) => {
      process.exitCode = await runBench(args);
    });
}

function versionCommand(): Command {
  return new Command('version')
    .description('Print the versions of the package, the protocol, the engine and libzmq.')
    .option('--json', 'print one JSON object', false)
    .exitOverride()
    .action((options: { json: boolean }) => runVersion(options));
}

function port(text: string): number {
  const value = Number(text);
  if (/^\d+$/.test(text) && value <= 65_535) return value;
  throw new InvalidArgumentError('a port is a number from 0 to 65535.');
}

function count(text: string): number {
  const value = Number(text);
  if (/^\d+$/.test(text) && Number.isSafeInteger(value) && value > 0) return value;
  throw new InvalidArgumentError('a whole number above 0 is needed.');
}

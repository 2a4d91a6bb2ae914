/** `--instructions`: what the engine executes per task, counted by valgrind; a figure that no other load moves. */
import { execFileSync } from 'node:child_process';
import { fileURLToPath } from 'node:url';
import { format } from './harness.js';

const TASKS = 20_000;
const SHAPES = ['map', 'tree', 'random'] as const;
const BUILD_MS = 20 * 60_000;
const RUN_MS = 120_000;

const root = fileURLToPath(new URL('../..', import.meta.url));

function installed(program: string): boolean {
  try {
    execFileSync(program, ['--version'], { stdio: 'ignore' });
    return true;
  } catch {
    return false;
  }
}

/** The triple that everything of Rust is built for; without it cargo would build all again, elsewhere. */
function host(): string {
  const said = execFileSync('rustc', ['-vV'], { encoding: 'utf8' });
  const triple = /^host: (.+)$/m.exec(said)?.[1];
  if (triple === undefined) throw new Error('rustc does not say its host');
  return triple;
}

/** Builds the workload as the addon is built; gives its path. */
function build(): string {
  const args = [
    'build',
    '--release',
    '--target',
    host(),
    '-p',
    'heddle-bench',
    '--example',
    'instructions',
  ];
  const said = execFileSync('cargo', [...args, '--message-format', 'json'], {
    cwd: root,
    encoding: 'utf8',
    timeout: BUILD_MS,
    maxBuffer: 64 << 20,
    stdio: ['ignore', 'pipe', 'inherit'],
  });
  for (const line of said.split('\n')) {
    if (!line.startsWith('{')) continue;
    const { executable, target } = JSON.parse(line) as {
      executable?: string | null;
      target?: { name: string };
    };
    if (target?.name === 'instructions' && typeof executable === 'string') return executable;
  }
  throw new Error('cargo built no example of that name');
}

function counted(program: string, shape: string, step: 'prepare' | 'run'): number {
  const tool = ['--tool=cachegrind', '--cache-sim=no', '--cachegrind-out-file=/dev/null'];
  // On stdout, which is read; stderr is for people.
  const said = execFileSync(
    'valgrind',
    [...tool, '--log-fd=1', program, shape, String(TASKS), step],
    {
      encoding: 'utf8',
      timeout: RUN_MS,
    },
  );
  const total = /I\s+refs:\s+([\d,]+)/.exec(said)?.[1];
  if (total === undefined) throw new Error(`valgrind counted nothing:\n${said}`);
  return Number(total.replaceAll(',', ''));
}

/** One line per shape. */
export function instructions(): string[] {
  const missing = ['valgrind', 'cargo'].find((program) => !installed(program));
  if (missing !== undefined) {
    return SHAPES.map(
      (shape) => `instructions.${shape}  not measured: ${missing} is not installed`,
    );
  }
  const program = build();
  return SHAPES.map((shape) => {
    const each = (counted(program, shape, 'run') - counted(program, shape, 'prepare')) / TASKS;
    return `instructions.${shape}  ${format(each)} per task`;
  });
}

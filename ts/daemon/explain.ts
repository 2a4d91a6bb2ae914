/** `heddle explain`: where the time of a run went, from a saved file or a live scheduler. */
import process from 'node:process';
import { Client } from '../client/index.js';
import { Explanation } from '../diagnostics/index.js';
import { HeddleError } from '../errors/index.js';

/** Parsed options of the command. */
export interface ExplainCommand {
  /** Address of a live scheduler, instead of a file. */
  readonly address?: string;
  /** Print the figures as one JSON object. */
  readonly json: boolean;
}

/**
 * Prints the explanation.
 *
 * @throws HeddleError `ERR_ARGUMENT` without exactly one of file and address; what `Explanation.load` and
 *   `Client.connect` throw.
 */
export async function runExplain(file: string | undefined, command: ExplainCommand): Promise<void> {
  const { address, json } = command;
  if ((file === undefined) === (address === undefined)) {
    throw new HeddleError(
      'ERR_ARGUMENT',
      'give either the file of a saved run or --address of a live scheduler',
    );
  }
  const explanation = file === undefined ? await live(address ?? '') : Explanation.load(file);
  process.stdout.write(`${json ? JSON.stringify(explanation) : explanation}\n`);
}

async function live(address: string): Promise<Explanation> {
  const client = await Client.connect(address, { name: 'explain' });
  try {
    return await client.explain();
  } finally {
    await client.close();
  }
}

// A client that submits much and is then killed. Arguments: address, grace in ms.
import { Client } from 'heddle';
import { later } from '../tasks.js';

const [address = '', grace = '0'] = process.argv.slice(2);
const client = await Client.connect(address, { grace: Number(grace) });
const futures = client.map(later, new Array<number>(1_000).fill(100));
await client.stats();
process.stdout.write(`${JSON.stringify({ tasks: futures.length })}\n`);
setInterval(() => futures.length, 1_000);

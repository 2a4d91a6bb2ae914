// `npm run ready`: what CI runs on every change, and what should pass before a push.

import { join } from 'node:path';
import process from 'node:process';
import { must, root } from './steps/process.mjs';

for (const script of ['lint.mjs', 'test.mjs']) {
  await must('not ready', process.execPath, [join(root, 'ts/build', script)], {
    output: 'inherit',
  });
}
